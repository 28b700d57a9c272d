//! The hidden types of customers.

use crate::words::named;

named! {
    /// Why a customer behaves as they do. It is in no file: ask [`crate::Shop::truth`].
    CustomerType {
        /// Buys fashion all year, most in spring and autumn, for years.
        FashionRegular "fashion_regular",
        /// Buys presents in November and December, every year, and nothing else.
        GiftBuyer "gift_buyer",
        /// Buys little things, nearly always at a discount.
        BargainHunter "bargain_hunter",
        /// Buys what is new and dear, hardly ever at a discount.
        FullPriceEnthusiast "full_price_enthusiast",
        /// Buys one piece of electronics and is not seen again.
        ElectronicsOneOff "electronics_one_off",
        /// Buys now and then for a while.
        Occasional "occasional",
        /// Came for the first time within the last weeks of the data.
        NewArrival "new_arrival",
        /// Bought every two weeks, and has been silent for some weeks now.
        SlippingRegular "slipping_regular",
        /// Was a regular, and left months before the end of the data.
        LapsedRegular "lapsed_regular",
        /// Was a regular, was silent for more than 60 days, and came back lately.
        Reactivated "reactivated",
        /// Restocks basics every few weeks, all year.
        BasicsSubscriber "basics_subscriber",
        /// Buys many pieces at a time, in office hours.
        BulkBuyer "bulk_buyer",
        /// Made an account and never ordered.
        Prospect "prospect",
    }
}
