//! Small fixed vocabularies of the shop, each value with the name that it has in files.

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$value_doc])* $value,)*
        }

        impl $name {
            /// All values.
            pub const ALL: &[Self] = &[$(Self::$value),*];

            /// The value as it is written in files.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $text,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

pub(crate) use named;

named! {
    /// How a customer came to the shop, for the first time or for an order.
    Channel {
        /// An unpaid result of a search engine.
        OrganicSearch "organic_search",
        /// A paid result of a search engine.
        PaidSearch "paid_search",
        /// An advertisement in a social network.
        PaidSocial "paid_social",
        /// A banner elsewhere.
        Display "display",
        /// A partner's page, paid by commission.
        Affiliate "affiliate",
        /// A newsletter or another message of the shop.
        Email "email",
        /// A friend's recommendation.
        Referral "referral",
        /// The address typed in, or the app.
        Direct "direct",
    }
}

named! {
    /// A country that the shop delivers to, by its ISO 3166 code.
    Country {
        /// Germany.
        De "DE",
        /// Austria.
        At "AT",
        /// Switzerland.
        Ch "CH",
        /// The Netherlands.
        Nl "NL",
        /// France.
        Fr "FR",
        /// Belgium.
        Be "BE",
        /// Spain.
        Es "ES",
        /// The United Kingdom.
        Gb "GB",
    }
}

named! {
    /// What an order was placed with.
    Device {
        /// A browser on a computer.
        Desktop "desktop",
        /// A browser on a telephone.
        Mobile "mobile",
        /// A browser on a tablet.
        Tablet "tablet",
        /// The shop's app.
        App "app",
    }
}

named! {
    /// A code that takes a share off an order.
    Coupon {
        /// 10 % off the first order.
        Welcome10 "WELCOME10",
        /// 15 % off, from the newsletter.
        News15 "NEWS15",
        /// 20 % off at sale time.
        Sale20 "SALE20",
        /// 30 % off around Black Friday.
        Black30 "BLACK30",
        /// 20 % off for those who come back.
        Comeback20 "COMEBACK20",
    }
}

named! {
    /// Gender as the customer gave it.
    Gender {
        /// Female.
        Female "female",
        /// Male.
        Male "male",
        /// Neither.
        Diverse "diverse",
    }
}
