# The native server in an image that has nothing else. In the project's folder, after `npm run build` if it is to
# have the page:
#   docker build --file packages/docker/server.Dockerfile --tag webpubsub-server .
FROM rust:1.95.0-slim-trixie AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# The toolchain of the image, and the C library in the program itself.
ENV RUSTUP_TOOLCHAIN=1.95.0 \
    RUSTFLAGS="-C target-feature=+crt-static"
WORKDIR /source
COPY . .
RUN target="$(rustc --version --verbose | sed --quiet 's/^host: //p')" \
 && features="$(if test -f build/www/index.html; then echo pages; fi)" \
 && cargo build --locked --release --target "$target" --package webpubsub-server --features "$features" \
 && install -D "target/$target/release/webpubsub-server" /image/webpubsub-server \
 && install -D --mode 644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt \
 && install --directory --mode 700 --owner 10001 --group 10001 /image/state

FROM scratch
COPY --from=build /image /
# Has glibc give back what a crowd of long messages took.
ENV GLIBC_TUNABLES=glibc.malloc.mmap_threshold=131072:glibc.malloc.trim_threshold=131072
USER 10001:10001
VOLUME /state
EXPOSE 8080 8443
# SIGTERM sends its clients away; it ends within ten seconds.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/webpubsub-server", "--host", "0.0.0.0", "--state", "/state"]
