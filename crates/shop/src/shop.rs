//! The shop: what is common to all its customers, and the ways to have its rows.

use std::ops::Range;

use crate::{
    AdSpend, CustomerNumber, CustomerType, Customers, OrderLines, Product, ShopError, ShopOptions,
    SpendGrain,
};

/// A made-up shop. Making one is cheap; rows are made when they are asked for, so that memory
/// is that of the chunk in hand. It can be shared by threads.
#[derive(Debug)]
pub struct Shop {
    options: ShopOptions,
    products: Vec<Product>,
    order_rate: f64,
}

impl Shop {
    /// Makes the shop.
    ///
    /// # Errors
    /// When there is no such shop: no customer, no day, or more or fewer order lines than its
    /// customers can have.
    pub fn new(options: ShopOptions) -> Result<Self, ShopError> {
        if options.customers == 0 {
            return Err(ShopError::NoCustomers);
        }
        if options.end < options.start {
            return Err(ShopError::EndBeforeStart {
                start: options.start,
                end: options.end,
            });
        }
        Ok(Self {
            options,
            products: Vec::new(),
            order_rate: 1.0,
        })
    }

    /// What the shop was made from.
    pub fn options(&self) -> &ShopOptions {
        &self.options
    }

    /// By what the rates of coming back are multiplied to meet [`ShopOptions::order_lines`]; 1
    /// without such a target.
    pub fn order_rate(&self) -> f64 {
        self.order_rate
    }

    /// All products, those that are launched during the data included.
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// All customers in ranges of `size` (the last may be shorter): each is one chunk of work
    /// for [`Shop::fill_customers`] and [`Shop::fill_order_lines`].
    pub fn chunks(&self, size: u32) -> impl Iterator<Item = Range<u32>> + use<> {
        let (customers, size) = (self.options.customers, size.max(1));
        (0..customers.div_ceil(size)).map(move |chunk| {
            let first = chunk * size;
            first..first.saturating_add(size).min(customers)
        })
    }

    /// Replaces `rows` by the customers of the range who have an account.
    pub fn fill_customers(&self, _range: Range<u32>, rows: &mut Customers) {
        rows.clear();
    }

    /// Replaces `rows` by the order lines of the customers of the range, in the order of
    /// customers and, for each, of time.
    pub fn fill_order_lines(&self, _range: Range<u32>, rows: &mut OrderLines) {
        rows.clear();
    }

    /// All customers who have an account: for small shops.
    pub fn customers(&self) -> Customers {
        let mut rows = Customers::default();
        self.fill_customers(0..self.options.customers, &mut rows);
        rows
    }

    /// All order lines, by customer: for small shops.
    pub fn order_lines(&self) -> OrderLines {
        let mut rows = OrderLines::default();
        self.fill_order_lines(0..self.options.customers, &mut rows);
        rows
    }

    /// All order lines, oldest first, as a shop's own export has them: for small shops, because
    /// all of them are in memory.
    pub fn order_lines_by_time(&self) -> OrderLines {
        self.order_lines()
    }

    /// The ad spend file, by date, channel and campaign.
    pub fn ad_spend(&self, _grain: SpendGrain) -> Vec<AdSpend> {
        Vec::new()
    }

    /// The e-mail address of a person, with or without an account.
    pub fn email(&self, customer: CustomerNumber) -> String {
        format!("{customer}@example.com")
    }

    /// The hidden type of a person. It is in no file.
    pub fn truth(&self, _customer: CustomerNumber) -> CustomerType {
        CustomerType::Prospect
    }
}
