/// The byte of a text at which a part of it first begins.
///
/// In time that grows with their lengths, not with their product: Knuth, Morris and Pratt's search.
/// The standard library's brings 5 KB along, of the gzipped worker: what its panics would say.
pub(super) fn find(text: &str, part: &str) -> Option<usize> {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    if part.is_empty() {
        return Some(0);
    }
    // Of each beginning of `part`: how much of it is at its end again, short of all of it.
    let mut borders = vec![0];
    for byte in part.iter().skip(1) {
        let border = borders.last().copied().unwrap_or_default();
        borders.push(matched(border, *byte, part, &borders));
    }
    let mut length = 0;
    for (at, byte) in text.iter().enumerate() {
        length = matched(length, *byte, part, &borders);
        if length == part.len() {
            return Some(at + 1 - length);
        }
    }
    None
}

/// How much of the beginning of `part` ends with `byte`, where `length` of it ended before.
fn matched(mut length: usize, byte: u8, part: &[u8], borders: &[usize]) -> usize {
    loop {
        if part.get(length) == Some(&byte) {
            return length + 1;
        }
        let Some(shorter) = length.checked_sub(1).and_then(|last| borders.get(last)) else { return 0 };
        length = *shorter;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_finds_what_the_standard_library_finds(text in "[abé]{0,40}", part in "[abé]{0,6}") {
            prop_assert_eq!(find(&text, &part), text.find(&part));
        }
    }
}
