//! Regulars: shop.
