//! What properties say of orders, carts and products. Amounts go from the digits that were sent to
//! minor units, with no float in between.

use std::borrow::Cow;

use regulars_core::{AmountError, Currency, parse_minor};

use crate::DecimalMark;
use crate::tracking::json::Raw;
use crate::value::{NumberHint, minor_units, number, number_hint};

/// More digits than any amount has.
const LONGEST_NUMBER: usize = 64;

/// A product of an event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Item<'e> {
    /// The shop's id of the product.
    pub product_id: Option<Cow<'e, str>>,
    /// The stock-keeping unit.
    pub sku: Option<Cow<'e, str>>,
    /// Its name.
    pub name: Option<Cow<'e, str>>,
    /// Its category.
    pub category: Option<Cow<'e, str>>,
    /// Its brand.
    pub brand: Option<Cow<'e, str>>,
    /// Its variant.
    pub variant: Option<Cow<'e, str>>,
    /// Price of one piece, in minor units.
    pub price_minor: Option<i64>,
    /// Pieces.
    pub quantity: Option<f64>,
    /// Coupon on this product.
    pub coupon: Option<Cow<'e, str>>,
}

impl Item<'_> {
    /// What tells the product: its id, else its stock-keeping unit.
    pub fn key(&self) -> Option<&str> {
        self.product_id.as_deref().or(self.sku.as_deref())
    }
}

/// What an event says of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderFacts<'e> {
    /// The shop's id of the order.
    pub order_id: Option<Cow<'e, str>>,
    /// The checkout that it came from.
    pub checkout_id: Option<Cow<'e, str>>,
    /// With tax and shipping, after discounts, in minor units.
    pub total_minor: Option<i64>,
    /// After discounts, without tax and shipping, in minor units.
    pub revenue_minor: Option<i64>,
    /// As the revenue, by its other name, in minor units.
    pub subtotal_minor: Option<i64>,
    /// In minor units.
    pub shipping_minor: Option<i64>,
    /// In minor units.
    pub tax_minor: Option<i64>,
    /// What discounts took off, in minor units.
    pub discount_minor: Option<i64>,
    /// The coupon.
    pub coupon: Option<Cow<'e, str>>,
    /// The currency of the amounts: that of the event, else the given one; `None` when the event
    /// names one that is none, and then there are no amounts.
    pub currency: Option<Currency>,
    /// Shop or market place.
    pub affiliation: Option<Cow<'e, str>>,
    /// What led to the order, as the shop names it.
    pub channel: Option<Cow<'e, str>>,
    /// Country to which it goes.
    pub country: Option<Cow<'e, str>>,
    /// Properties whose value cannot be read.
    pub unreadable: Vec<&'static str>,
}

/// What an event says of a cart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CartFacts<'e> {
    /// The shop's id of the cart.
    pub cart_id: Option<Cow<'e, str>>,
    /// The currency of the prices: that of the event, else the given one; `None` when the event
    /// names one that is none, and then there are no prices.
    pub currency: Option<Currency>,
    /// Its products, as [`items`] gives them.
    pub items: Vec<Item<'e>>,
}

/// The products of an event: those of `products`, else the one that the properties are of.
/// Prices are in the event's currency, else in `default`.
pub fn items<'e>(properties: &'e str, default: Currency) -> Vec<Item<'e>> {
    let properties = Raw(properties);
    let currency = currency(properties, default);
    if let Some(products) = properties.get("products").filter(|raw| raw.is_array()) {
        let products = products.elements().filter(|product| product.is_object());
        return products.map(|product| item(product, currency)).collect();
    }
    let item = item(properties, currency);
    if item.key().is_some() {
        vec![item]
    } else {
        Vec::new()
    }
}

fn item(product: Raw<'_>, currency: Option<Currency>) -> Item<'_> {
    item_with(product, |_, _| ()).priced_in(currency)
}

/// An item whose price waits for its currency.
struct Unpriced<'e> {
    item: Item<'e>,
    price: Option<Raw<'e>>,
}

impl<'e> Unpriced<'e> {
    fn priced_in(mut self, currency: Option<Currency>) -> Item<'e> {
        let price = self.price.zip(currency);
        self.item.price_minor = price.and_then(|(price, currency)| amount(price, currency).ok());
        self.item
    }
}

/// A product, and every other member to `other`.
fn item_with<'e>(product: Raw<'e>, mut other: impl FnMut(&str, Raw<'e>)) -> Unpriced<'e> {
    let (mut item, mut price) = (Item::default(), None);
    for (key, value) in product.members() {
        let member = match &*key {
            "product_id" | "productId" | "id" => &mut item.product_id,
            "sku" => &mut item.sku,
            "name" => &mut item.name,
            "category" => &mut item.category,
            "brand" => &mut item.brand,
            "variant" => &mut item.variant,
            "coupon" => &mut item.coupon,
            "price" => {
                price = Some(value);
                continue;
            }
            "quantity" => {
                item.quantity = quantity(value);
                continue;
            }
            key => {
                other(key, value);
                continue;
            }
        };
        // `product_id` comes before `id`, wherever it stands.
        if key != "id" || member.is_none() {
            *member = text(value);
        }
    }
    Unpriced { item, price }
}

/// What the properties say of an order. Amounts are in the event's currency, else in `default`.
pub fn order_facts(properties: &str, default: Currency) -> OrderFacts<'_> {
    let properties = Raw(properties);
    let currency = currency(properties, default);
    let mut unreadable = Vec::new();
    if currency.is_none() {
        unreadable.push("currency");
    }
    let mut amount_of = |name: &'static str| {
        let value = properties.get(name).filter(|value| !value.is_null())?;
        let read = amount(value, currency?);
        if read.is_err() {
            unreadable.push(name);
        }
        read.ok()
    };
    let (total_minor, revenue_minor) = (amount_of("total"), amount_of("revenue"));
    let (subtotal_minor, shipping_minor) = (amount_of("subtotal"), amount_of("shipping"));
    let (tax_minor, discount_minor) = (amount_of("tax"), amount_of("discount"));
    let of = |names: [&str; 2]| names.iter().find_map(|name| text(properties.get(name)?));
    OrderFacts {
        order_id: of(["order_id", "orderId"]),
        checkout_id: of(["checkout_id", "checkoutId"]),
        total_minor,
        revenue_minor,
        subtotal_minor,
        shipping_minor,
        tax_minor,
        discount_minor,
        coupon: of(["coupon", "coupon_code"]),
        currency,
        affiliation: of(["affiliation", "store"]),
        channel: of(["channel", "sales_channel"]),
        country: of(["country", "shipping_country"]).or_else(|| {
            let address = properties.get("shipping_address")?;
            text(address.get("country")?)
        }),
        unreadable,
    }
}

/// What the properties say of a cart. Prices are in the event's currency, else in `default`.
pub fn cart_facts(properties: &str, default: Currency) -> CartFacts<'_> {
    let (mut named, mut products, mut ids) = (None, None, [None; 2]);
    // Most of what is sent of carts is one product: all of it is read in one pass.
    let own = item_with(Raw(properties), |key, value| match key {
        "currency" => named = Some(value),
        "products" => products = Some(value),
        "cart_id" => ids[0] = Some(value),
        "cartId" => ids[1] = Some(value),
        _ => {}
    });
    let currency = match named.and_then(text) {
        Some(named) => Currency::new(&named).ok(),
        None => Some(default),
    };
    let items = match products.filter(|raw| raw.is_array()) {
        Some(products) => {
            let products = products.elements().filter(|product| product.is_object());
            products.map(|product| item(product, currency)).collect()
        }
        None => {
            let own = own.priced_in(currency);
            own.key().is_some().then_some(own).into_iter().collect()
        }
    };
    CartFacts {
        cart_id: ids.into_iter().flatten().find_map(text),
        currency,
        items,
    }
}

/// The shop's id of the cart that an event names.
pub fn cart_id(properties: &str) -> Option<Cow<'_, str>> {
    let properties = Raw(properties);
    let names = ["cart_id", "cartId"];
    names.iter().find_map(|name| text(properties.get(name)?))
}

/// The currency that is named, else the default; `None` when what is named is none.
fn currency(properties: Raw<'_>, default: Currency) -> Option<Currency> {
    match properties.get("currency").and_then(text) {
        Some(named) => Currency::new(&named).ok(),
        None => Some(default),
    }
}

fn text(value: Raw<'_>) -> Option<Cow<'_, str>> {
    let text = value.text_or_number()?;
    (!text.trim().is_empty()).then_some(text)
}

fn quantity(value: Raw<'_>) -> Option<f64> {
    let text = value.text_or_number()?;
    let read = number(text.trim(), Some(DecimalMark::Point)).ok()?;
    read.is_finite().then_some(read)
}

/// An amount in minor units, half-even beyond those.
fn amount(value: Raw<'_>, currency: Currency) -> Result<i64, AmountError> {
    let exponent = currency.exponent();
    if value.is_number() {
        return parse_minor(&plain_decimal(value.0)?, exponent);
    }
    let text = value.text().ok_or(AmountError::NotANumber)?;
    let text = text.trim();
    // A price in words of JSON has a point, unless it can only be a comma.
    let mark = match number_hint(text) {
        NumberHint::Only(mark) => mark,
        NumberHint::None | NumberHint::Plain | NumberHint::Either => DecimalMark::Point,
    };
    minor_units(text, Some(mark), exponent, currency).map_err(|_| AmountError::NotANumber)
}

/// A number of JSON without exponent: `1.5e2` is `150`.
fn plain_decimal(number: &str) -> Result<Cow<'_, str>, AmountError> {
    let Some(at) = number.find(['e', 'E']) else {
        return Ok(Cow::Borrowed(number));
    };
    let exponent: i32 = number[at + 1..]
        .parse()
        .map_err(|_| AmountError::TooLarge)?;
    let (sign, digits) = match number[..at].strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", &number[..at]),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let point = i64::try_from(whole.len()).unwrap_or(i64::MAX) + i64::from(exponent);
    let digits = format!("{whole}{fraction}");
    if digits.bytes().all(|digit| digit == b'0')
        || point < -i64::try_from(LONGEST_NUMBER).unwrap_or(0)
    {
        return Ok(Cow::Borrowed("0"));
    }
    let point = usize::try_from(point.max(0)).unwrap_or(usize::MAX);
    if point > LONGEST_NUMBER || digits.len() > LONGEST_NUMBER {
        return Err(AmountError::TooLarge);
    }
    let lead = usize::try_from(-(i64::try_from(whole.len()).unwrap_or(0) + i64::from(exponent)))
        .unwrap_or(0);
    let mut padded = format!("{}{digits}", "0".repeat(lead));
    while padded.len() < point {
        padded.push('0');
    }
    let (whole, fraction) = padded.split_at(point);
    Ok(Cow::Owned(format!("{sign}0{whole}.{fraction}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur() -> Currency {
        Currency::new("EUR").unwrap()
    }

    #[test]
    fn amounts_are_exact() {
        for (json, minor) in [
            ("19.99", Some(1999)),
            ("-19.99", Some(-1999)),
            ("20", Some(2000)),
            ("0.1", Some(10)),
            ("19.990000000000002", Some(1999)),
            ("1.999e1", Some(1999)),
            ("1999E-2", Some(1999)),
            ("2e3", Some(200_000)),
            ("0e999", Some(0)),
            ("1e-99", Some(0)),
            ("5e-3", Some(0)),
            ("15e-3", Some(2)),
            ("1e99", None),
            ("1e999999999999", None),
            (r#""19.99""#, Some(1999)),
            (r#"" 1,299.00 ""#, Some(129_900)),
            (r#""19,99""#, Some(1999)),
            (r#""€ 19.99""#, Some(1999)),
            (r#""$19.99""#, None),
            (r#""free""#, None),
            ("true", None),
            ("{}", None),
        ] {
            assert_eq!(amount(Raw(json), eur()).ok(), minor, "{json}");
        }
        let yen = Currency::new("JPY").unwrap();
        assert_eq!(amount(Raw("1999"), yen), Ok(1999));
    }

    #[test]
    fn orders_say_what_they_say() {
        let properties = r#"{"checkout_id":"c","order_id":50314,"affiliation":"Store","total":27.50,
            "subtotal":22.5,"revenue":"25.00","shipping":3,"tax":2,"discount":2.5,
            "coupon":"hasbros","currency":"usd","products":[],"channel":"app",
            "shipping_address":{"city":"Bonn","country":"DE"}}"#;
        let facts = order_facts(properties, eur());
        assert_eq!(facts.order_id.as_deref(), Some("50314"));
        assert_eq!(facts.channel.as_deref(), Some("app"));
        assert_eq!(facts.country.as_deref(), Some("DE"));
        assert_eq!(facts.checkout_id.as_deref(), Some("c"));
        assert_eq!(facts.total_minor, Some(2750));
        assert_eq!(facts.revenue_minor, Some(2500));
        assert_eq!(facts.subtotal_minor, Some(2250));
        assert_eq!(facts.shipping_minor, Some(300));
        assert_eq!(facts.tax_minor, Some(200));
        assert_eq!(facts.discount_minor, Some(250));
        assert_eq!(facts.coupon.as_deref(), Some("hasbros"));
        assert_eq!(facts.currency, Currency::new("USD").ok());
        assert_eq!(facts.affiliation.as_deref(), Some("Store"));
        assert_eq!(facts.unreadable, [""; 0]);
        let facts = order_facts(r#"{"total":"a lot","tax":null}"#, eur());
        assert_eq!((facts.currency, facts.total_minor), (Some(eur()), None));
        assert_eq!(facts.unreadable, ["total"]);
        let facts = order_facts(r#"{"total":5,"currency":"dollars"}"#, eur());
        assert_eq!((facts.currency, facts.total_minor), (None, None));
        assert_eq!(facts.unreadable, ["currency"]);
    }

    #[test]
    fn items_are_the_products_or_the_event_itself() {
        let list = r#"{"currency":"EUR","products":[
            {"product_id":"p1","sku":"s1","name":"N","category":"C","brand":"B","variant":"V",
             "price":19.99,"quantity":2,"coupon":"K"},
            {"id":7,"price":"3","quantity":"1.5"}, "not a product"]}"#;
        let items = items(list, eur());
        assert_eq!(items.len(), 2);
        assert_eq!(items[0].price_minor, Some(1999));
        assert_eq!((items[0].key(), items[0].quantity), (Some("p1"), Some(2.0)));
        assert_eq!(items[0].variant.as_deref(), Some("V"));
        assert_eq!((items[1].key(), items[1].quantity), (Some("7"), Some(1.5)));
        assert_eq!(items[1].price_minor, Some(300));
        let one = super::items(r#"{"sku":"s","price":0.5,"cart_id":"c"}"#, eur());
        assert_eq!((one[0].key(), one[0].price_minor), (Some("s"), Some(50)));
        assert_eq!(super::items(r#"{"order_id":"o"}"#, eur()), []);
        assert_eq!(super::items(r#"{"products":[]}"#, eur()), []);
    }

    #[test]
    fn a_cart_is_read_in_one_pass_as_its_parts_are() {
        for json in [
            r#"{"cart_id":"c"}"#,
            r#"{"cartId":7,"cart_id":" ","price":1.5,"product_id":"p","currency":"usd"}"#,
            r#"{"id":"i","price":"3","currency":"none","quantity":2,"products":"none"}"#,
            r#"{"cart_id":"c","price":4,"products":[{"sku":"s","price":2},7]}"#,
            r#"{"cart_id":null,"price":1,"price":2,"sku":"s"}"#,
        ] {
            let facts = cart_facts(json, eur());
            assert_eq!(facts.items, items(json, eur()), "{json}");
            assert_eq!(facts.currency, order_facts(json, eur()).currency, "{json}");
            assert_eq!(facts.cart_id, cart_id(json), "{json}");
        }
        assert_eq!(
            cart_id(r#"{"cart_id":null,"cartId":"c"}"#).as_deref(),
            Some("c")
        );
        assert_eq!(cart_id("{}"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in r#"[-+0-9eE.,{}\[\]":a ]{0,40}"#) {
            let _ = amount(Raw(&text), eur());
            let _ = items(&text, eur());
            let _ = order_facts(&text, eur());
            let _ = cart_facts(&text, eur());
        }

        #[test]
        fn written_amounts_are_read(minor in -100_000_000_i64..100_000_000) {
            let text = regulars_core::format_minor(minor, 2);
            proptest::prop_assert_eq!(amount(Raw(&text), eur()), Ok(minor));
            let float = minor as f64 / 100.0;
            proptest::prop_assert_eq!(amount(Raw(&format!("{float}")), eur()), Ok(minor));
            proptest::prop_assert_eq!(amount(Raw(&format!("{float:e}")), eur()), Ok(minor));
        }
    }
}
