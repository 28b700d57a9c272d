//! Categories and brands. All brands are invented.

use std::ops::Range;

/// Categories of a department share its brands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Department {
    Fashion,
    Electronics,
}

impl Department {
    /// Positions of its brands in [`BRANDS`].
    pub(crate) fn brands(self) -> Range<usize> {
        match self {
            Self::Fashion => 0..15,
            Self::Electronics => 15..24,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Category {
    pub(crate) name: &'static str,
    pub(crate) department: Department,
    /// Typical price, hundredths of a euro.
    pub(crate) price_cents: f64,
    /// Typical cost as a share of the price.
    pub(crate) cost_share: f64,
    /// Probability that a line goes back.
    pub(crate) returned: f64,
    pub(crate) things: &'static [&'static str; 5],
    pub(crate) looks: &'static [&'static str; 10],
}

#[derive(Debug)]
pub(crate) struct Brand {
    pub(crate) name: &'static str,
    /// Price band that most of its products are in: 0 cheap, 1 middling, 2 dear.
    pub(crate) band: usize,
}

const fn brand(name: &'static str, band: usize) -> Brand {
    Brand { name, band }
}

/// Fashion first, then electronics: [`Department::brands`].
pub(crate) const BRANDS: [Brand; 24] = [
    brand("Plainwell", 0),
    brand("Dotterby", 0),
    brand("Quickloom", 0),
    brand("Harrowpine", 0),
    brand("Tidewick", 0),
    brand("Nordahlin", 1),
    brand("Lumevara", 1),
    brand("Osterquill", 1),
    brand("Fennimarsh", 1),
    brand("Calderoux", 1),
    brand("Brackenholt", 1),
    brand("Velindra", 2),
    brand("Maison Orsanne", 2),
    brand("Aurelisk", 2),
    brand("Thornequist", 2),
    brand("Bitspan", 0),
    brand("Kopperlink", 0),
    brand("Zimtron", 0),
    brand("Ovalto", 1),
    brand("Sonarique", 1),
    brand("Pentaflux", 1),
    brand("Glimmerbox", 1),
    brand("Hexavale", 2),
    brand("Arcturion", 2),
];

const FABRICS: &[&str; 10] = &[
    "Linen", "Cotton", "Ribbed", "Pleated", "Striped", "Quilted", "Washed", "Velvet", "Tailored",
    "Relaxed",
];
const MATERIALS: &[&str; 10] = &[
    "Suede", "Canvas", "Leather", "Woven", "Vegan", "Waxed", "Studded", "Classic", "Compact",
    "Weekend",
];
const MODELS: &[&str; 10] = &[
    "One", "Mini", "Air", "Pro", "Go", "Plus", "Studio", "Max", "Neo", "Ultra",
];

const fn fashion(
    name: &'static str,
    price_cents: f64,
    returned: f64,
    things: &'static [&'static str; 5],
    looks: &'static [&'static str; 10],
) -> Category {
    let department = Department::Fashion;
    Category {
        name,
        department,
        price_cents,
        cost_share: 0.42,
        returned,
        things,
        looks,
    }
}

const fn electronics(
    name: &'static str,
    price_cents: f64,
    returned: f64,
    things: &'static [&'static str; 5],
) -> Category {
    let department = Department::Electronics;
    let looks = MODELS;
    Category {
        name,
        department,
        price_cents,
        cost_share: 0.72,
        returned,
        things,
        looks,
    }
}

/// Fashion first, then electronics.
#[rustfmt::skip]
pub(crate) const CATEGORIES: [Category; 12] = [
    fashion("Dresses", 5_900.0, 0.22, &["Midi Dress", "Shirt Dress", "Wrap Dress", "Maxi Dress", "Jumpsuit"], FABRICS),
    fashion("Tops", 2_700.0, 0.13, &["Shirt", "Blouse", "T-Shirt", "Polo", "Tunic"], FABRICS),
    fashion("Jeans", 6_500.0, 0.20, &["Straight Jeans", "Slim Jeans", "Wide Jeans", "Chinos", "Shorts"], FABRICS),
    fashion("Knitwear", 5_400.0, 0.12, &["Jumper", "Cardigan", "Scarf", "Beanie", "Slipover"], FABRICS),
    fashion("Outerwear", 12_500.0, 0.18, &["Parka", "Coat", "Rain Jacket", "Blazer", "Gilet"], FABRICS),
    fashion("Shoes", 8_900.0, 0.24, &["Sneakers", "Boots", "Loafers", "Sandals", "Slippers"], MATERIALS),
    fashion("Bags", 7_400.0, 0.08, &["Backpack", "Tote", "Wallet", "Belt Bag", "Travel Bag"], MATERIALS),
    fashion("Basics", 1_500.0, 0.04, &["Socks", "Briefs", "Undershirt", "Tights", "Pyjamas"], FABRICS),
    electronics("Phones", 39_900.0, 0.07, &["Phone", "Smartphone", "Senior Phone", "Phone Kit", "Outdoor Phone"]),
    electronics("Audio", 8_900.0, 0.06, &["Headphones", "Earbuds", "Speaker", "Radio", "Soundbar"]),
    electronics("Computers", 64_900.0, 0.07, &["Notebook", "Tablet", "Monitor", "Desktop", "Dock"]),
    electronics("Wearables", 15_900.0, 0.09, &["Watch", "Tracker", "Ring", "Sports Watch", "Heart Strap"]),
];
