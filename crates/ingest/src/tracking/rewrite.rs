//! Taking values out of JSON that was checked before: what stays is not copied until something
//! goes.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::json::{Cursor, Raw};

/// A step from a container to what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'t> {
    /// Of an object: what stands between the quotes of the key.
    Key(&'t str),
    /// Of a list, from 0.
    Index(usize),
}

/// What happens to a scalar.
#[derive(Debug)]
pub(super) enum Scalar {
    Keep,
    /// The member or element goes.
    Cut,
    /// This JSON stands in its place.
    Put(String),
}

/// What happens to an object or a list.
#[derive(Debug)]
pub(super) enum Container<S> {
    /// The member or element goes.
    Cut,
    /// What is in it is judged within this scope.
    Into(S),
}

/// Says what stays.
pub(super) trait Judge<'t> {
    /// What a container says about what is in it.
    type Scope: Copy;

    /// Judges a scalar at the end of `path`. `object` is the text from the beginning of the
    /// container on.
    fn scalar(
        &mut self,
        scope: Self::Scope,
        path: &[Step<'t>],
        object: &'t str,
        value: Raw<'t>,
    ) -> Scalar;

    /// Judges an object or list at the end of `path`. `value` is the text from its beginning on.
    fn container(
        &mut self,
        scope: Self::Scope,
        path: &[Step<'t>],
        value: &'t str,
    ) -> Container<Self::Scope>;
}

/// More objects within one another than may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooDeep;

/// The text without what `judge` takes out.
pub(super) fn rewrite<'t, J: Judge<'t>>(
    text: &'t str,
    scope: J::Scope,
    judge: &mut J,
    most_depth: usize,
) -> Result<Cow<'t, str>, TooDeep> {
    if text == "{}" {
        return Ok(Cow::Borrowed(text));
    }
    let mut rewriting = Rewriting {
        text,
        cursor: Cursor::new(text),
        judge,
        most_depth,
        path: Vec::with_capacity(8),
        out: String::new(),
        copied: 0,
    };
    if matches!(rewriting.cursor.peek(), b'{' | b'[') {
        rewriting.container(scope)?;
    }
    if rewriting.copied == 0 {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = rewriting.out;
    out.push_str(text.get(rewriting.copied..).unwrap_or_default());
    Ok(Cow::Owned(out))
}

/// A path with dots: `products.0.name`.
pub(super) fn dotted(root: &str, path: &[Step<'_>]) -> String {
    let mut text = root.to_owned();
    for step in path {
        if !text.is_empty() {
            text.push('.');
        }
        match step {
            Step::Key(key) => text.push_str(key),
            Step::Index(index) => {
                let _ = write!(text, "{index}");
            }
        }
    }
    text
}

struct Rewriting<'t, 'j, J> {
    text: &'t str,
    cursor: Cursor<'t>,
    judge: &'j mut J,
    most_depth: usize,
    path: Vec<Step<'t>>,
    out: String,
    /// What stands before it is in `out` or was cut.
    copied: usize,
}

impl<'t, J: Judge<'t>> Rewriting<'t, '_, J> {
    /// The container at the cursor.
    fn container(&mut self, scope: J::Scope) -> Result<(), TooDeep> {
        if self.path.len() >= self.most_depth {
            return Err(TooDeep);
        }
        let is_object = self.cursor.peek() == b'{';
        let start = self.cursor.at;
        self.cursor.at += 1;
        let (mut kept_any, mut index) = (false, 0);
        loop {
            let begin = self.cursor.at;
            let after_comma = self.cursor.take(b',');
            if matches!(self.cursor.peek(), b'}' | b']' | 0) {
                self.cursor.at = (self.cursor.at + 1).min(self.text.len());
                return Ok(());
            }
            let item = self.cursor.at;
            let step = if is_object {
                Step::Key(self.cursor.key().unwrap_or_default())
            } else {
                Step::Index(index)
            };
            index += 1;
            self.path.push(step);
            let kept = self.item(
                scope,
                start,
                (!kept_any && after_comma).then_some((begin, item)),
            );
            self.path.pop();
            if kept? {
                kept_any = true;
            } else {
                self.cut(begin, self.cursor.at);
            }
            if self.cursor.at == begin {
                // Not JSON: nothing more can be said of it.
                self.cursor.at = self.text.len();
            }
        }
    }

    /// The value at the cursor; false when it goes. `comma` is what stands before the item if
    /// that goes when the item stays.
    fn item(
        &mut self,
        scope: J::Scope,
        object: usize,
        comma: Option<(usize, usize)>,
    ) -> Result<bool, TooDeep> {
        let opening = self.cursor.peek();
        let value = self.cursor.at;
        if matches!(opening, b'{' | b'[') {
            let text = self.cursor.from(value);
            let Container::Into(scope) = self.judge.container(scope, &self.path, text) else {
                self.cursor.value();
                return Ok(false);
            };
            if let Some((begin, item)) = comma {
                self.cut(begin, item);
            }
            self.container(scope)?;
            return Ok(true);
        }
        let scalar = self.cursor.value();
        let object = self.cursor.from(object);
        let verdict = self.judge.scalar(scope, &self.path, object, scalar);
        if let (Scalar::Keep | Scalar::Put(_), Some((begin, item))) = (&verdict, comma) {
            self.cut(begin, item);
        }
        match verdict {
            Scalar::Keep => Ok(true),
            Scalar::Cut => Ok(false),
            Scalar::Put(json) => {
                self.cut(value, self.cursor.at);
                self.out.push_str(&json);
                Ok(true)
            }
        }
    }

    fn cut(&mut self, from: usize, to: usize) {
        let kept = self.text.get(self.copied..from).unwrap_or_default();
        self.out.push_str(kept);
        self.copied = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes out what is called `x`, and puts 0 for `y`.
    struct NoX;

    impl<'t> Judge<'t> for NoX {
        type Scope = ();

        fn scalar(&mut self, (): (), path: &[Step<'t>], _: &'t str, value: Raw<'t>) -> Scalar {
            match path.last() {
                Some(Step::Key("x")) => Scalar::Cut,
                Some(Step::Key("y")) => Scalar::Put("0".to_owned()),
                _ if value == Raw("9") => Scalar::Cut,
                _ => Scalar::Keep,
            }
        }

        fn container(&mut self, (): (), path: &[Step<'t>], _: &'t str) -> Container<()> {
            match path.last() {
                Some(Step::Key("x")) => Container::Cut,
                _ => Container::Into(()),
            }
        }
    }

    fn without_x(text: &str) -> Cow<'_, str> {
        rewrite(text, (), &mut NoX, 5).unwrap()
    }

    #[test]
    fn what_goes_takes_its_comma_along() {
        for (text, rest) in [
            (r#"{"x":1}"#, "{}"),
            (r#"{"x":1,"a":2}"#, r#"{"a":2}"#),
            (r#"{"a":2 , "x":1}"#, r#"{"a":2}"#),
            (r#"{"x":1,"x":{"a":1},"a":2,"x":[3]}"#, r#"{"a":2}"#),
            (
                r#"{"a":{"x":1,"b":[9,{"x":2},9,3]}}"#,
                r#"{"a":{"b":[{},3]}}"#,
            ),
            (r#"{"x":1,"y":5,"a":{"y":1}}"#, r#"{"y":0,"a":{"y":0}}"#),
            (r#"[9,9]"#, "[]"),
        ] {
            assert_eq!(without_x(text), rest);
        }
        assert!(matches!(without_x(r#"{"a":[1, 2]}"#), Cow::Borrowed(_)));
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(100_000);
        assert_eq!(rewrite(&deep, (), &mut NoX, 100), Err(TooDeep));
        assert_eq!(
            rewrite("[[[[[1]]]]]", (), &mut NoX, 5).unwrap(),
            "[[[[[1]]]]]"
        );
        assert_eq!(rewrite("[[[[[[1]]]]]]", (), &mut NoX, 5), Err(TooDeep));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in r#"[\[\]{}",:\\xya19 ü]{0,40}"#) {
            let _ = rewrite(&text, (), &mut NoX, 5);
        }
    }
}
