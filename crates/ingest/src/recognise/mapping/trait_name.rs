//! Headers as names of traits.

/// A header as the name of a trait: `Loyalty Points` and `loyaltyPoints` are `loyalty_points`.
pub(super) fn snake_case(header: &str) -> String {
    let mut name = String::new();
    let mut before: Option<char> = None;
    for c in header.chars() {
        if !c.is_alphanumeric() {
            before = None;
            continue;
        }
        let new_word = match before {
            None => true,
            Some(before) => c.is_uppercase() && before.is_lowercase(),
        };
        if new_word && !name.is_empty() {
            name.push('_');
        }
        name.extend(c.to_lowercase());
        before = Some(c);
    }
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert_str(0, "trait_");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_become_names_of_traits() {
        assert_eq!(snake_case("Loyalty Points"), "loyalty_points");
        assert_eq!(snake_case("loyaltyPoints (2)"), "loyalty_points_2");
        assert_eq!(snake_case("VIP?"), "vip");
        assert_eq!(snake_case("2024 spend"), "trait_2024_spend");
    }
}
