// The npm package `workerd` has no declarations: it exports the path of the program that was installed.

declare module "workerd" {
  const exported: { readonly default: string };
  export default exported;
}
