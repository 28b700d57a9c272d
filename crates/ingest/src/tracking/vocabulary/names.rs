//! The standard events and their names.

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::FixedState;

use crate::field::normalised;

/// What kind of data an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Looking at products and lists.
    Browsing,
    /// Carts, checkouts and orders.
    Ordering,
    /// E-mail and messages to customers.
    Messages,
    /// Sign-up, sign-in, trial, subscription and application.
    Lifecycle,
    /// What customers say: surveys, reviews, tickets, chats.
    Attitude,
}

macro_rules! events {
    ($($family:ident { $($id:ident $name:literal $(= $($other:literal)*)?;)* })*) => {
        /// An event whose name has a meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum StandardEvent {
            $($(#[doc = concat!("`", $name, "`.")] $id,)*)*
        }

        impl StandardEvent {
            /// All of them.
            pub const ALL: &[Self] = &[$($(Self::$id,)*)*];

            /// The standard name.
            pub fn name(self) -> &'static str {
                match self { $($(Self::$id => $name,)*)* }
            }

            /// What kind of data it is.
            pub fn family(self) -> Family {
                match self { $($(Self::$id => Family::$family,)*)* }
            }

            /// Other names of it.
            pub fn other_names(self) -> &'static [&'static str] {
                match self { $($(Self::$id => &[$($($other),*)?],)*)* }
            }
        }
    };
}

events! {
    Browsing {
        ProductsSearched "Products Searched" = "Searched Products" "Product Searched";
        ProductListViewed "Product List Viewed" = "Viewed Product List" "Viewed Product Category"
            "Product Category Viewed";
        ProductListFiltered "Product List Filtered" = "Filtered Product List";
        PromotionViewed "Promotion Viewed" = "Viewed Promotion";
        PromotionClicked "Promotion Clicked" = "Clicked Promotion";
        ProductClicked "Product Clicked" = "Clicked Product";
        ProductViewed "Product Viewed" = "Viewed Product";
        ProductShared "Product Shared" = "Shared Product";
        ProductAddedToWishlist "Product Added to Wishlist" = "Added Product to Wishlist";
        ProductRemovedFromWishlist "Product Removed from Wishlist"
            = "Removed Product from Wishlist";
    }
    Ordering {
        ProductAdded "Product Added" = "Added Product" "Added to Cart" "Add to Cart"
            "Product Added to Cart";
        ProductRemoved "Product Removed" = "Removed Product" "Removed from Cart"
            "Remove from Cart" "Product Removed from Cart";
        WishlistProductAddedToCart "Wishlist Product Added to Cart"
            = "Added Wishlist Product to Cart";
        CartViewed "Cart Viewed" = "Viewed Cart";
        CartShared "Cart Shared" = "Shared Cart";
        CheckoutStarted "Checkout Started" = "Started Checkout" "Started Order" "Order Started";
        CheckoutStepViewed "Checkout Step Viewed" = "Viewed Checkout Step";
        CheckoutStepCompleted "Checkout Step Completed" = "Completed Checkout Step";
        PaymentInfoEntered "Payment Info Entered" = "Entered Payment Info";
        OrderUpdated "Order Updated" = "Updated Order";
        OrderCompleted "Order Completed" = "Completed Order" "Order Placed" "Placed Order";
        OrderRefunded "Order Refunded" = "Refunded Order";
        OrderCancelled "Order Cancelled" = "Order Canceled" "Cancelled Order" "Canceled Order";
        CouponEntered "Coupon Entered" = "Entered Coupon";
        CouponApplied "Coupon Applied" = "Applied Coupon";
        CouponDenied "Coupon Denied" = "Denied Coupon";
        CouponRemoved "Coupon Removed" = "Removed Coupon";
    }
    Messages {
        EmailSent "Email Sent" = "Sent Email";
        EmailDelivered "Email Delivered" = "Delivered Email";
        EmailOpened "Email Opened" = "Opened Email";
        EmailLinkClicked "Email Link Clicked" = "Email Clicked" "Clicked Email";
        EmailBounced "Email Bounced" = "Bounced Email";
        EmailMarkedAsSpam "Email Marked as Spam" = "Marked Email as Spam" "Spam Reported";
        Subscribed "Subscribed" = "Email Subscribed" "Subscribed to List" "Newsletter Subscribed";
        Unsubscribed "Unsubscribed" = "Email Unsubscribed" "Unsubscribed from List"
            "Newsletter Unsubscribed";
        PushReceived "Push Notification Received" = "Push Received";
        PushTapped "Push Notification Tapped" = "Push Opened" "Push Notification Opened"
            "Push Tapped";
    }
    Lifecycle {
        SignedUp "Signed Up" = "Sign Up" "User Signed Up" "Account Registered" "Registered";
        SignedIn "Signed In" = "Sign In" "Logged In" "Login" "User Logged In";
        SignedOut "Signed Out" = "Sign Out" "Logged Out" "Logout";
        AccountCreated "Account Created" = "Created Account";
        AccountDeleted "Account Deleted" = "Deleted Account";
        AccountAddedUser "Account Added User";
        AccountRemovedUser "Account Removed User";
        InviteSent "Invite Sent" = "Sent Invite";
        TrialStarted "Trial Started" = "Started Trial";
        TrialEnded "Trial Ended" = "Ended Trial" "Trial Expired";
        TrialConverted "Trial Converted" = "Converted Trial";
        SubscriptionStarted "Subscription Started" = "Started Subscription"
            "Subscription Created" "Subscription Activated";
        SubscriptionUpdated "Subscription Updated" = "Updated Subscription"
            "Subscription Changed" "Plan Changed";
        SubscriptionRenewed "Subscription Renewed" = "Renewed Subscription";
        SubscriptionPaused "Subscription Paused" = "Paused Subscription";
        SubscriptionResumed "Subscription Resumed" = "Resumed Subscription";
        SubscriptionCancelled "Subscription Cancelled" = "Subscription Canceled"
            "Cancelled Subscription" "Canceled Subscription";
        SubscriptionExpired "Subscription Expired" = "Subscription Ended";
        PaymentFailed "Payment Failed" = "Subscription Payment Failed";
        ApplicationInstalled "Application Installed" = "App Installed";
        ApplicationOpened "Application Opened" = "App Opened";
        ApplicationUpdated "Application Updated" = "App Updated";
        ApplicationBackgrounded "Application Backgrounded" = "App Backgrounded";
        ApplicationUninstalled "Application Uninstalled" = "App Uninstalled";
    }
    Attitude {
        ProductReviewed "Product Reviewed" = "Reviewed Product" "Review Submitted"
            "Product Review Submitted";
        NpsAnswered "NPS Answered" = "NPS Submitted" "NPS Survey Answered" "NPS Survey Submitted"
            "NPS Survey Completed" "NPS Score Submitted" "NPS Response Submitted" "NPS Responded";
        CsatAnswered "CSAT Answered" = "CSAT Submitted" "CSAT Survey Answered"
            "CSAT Survey Submitted" "Satisfaction Rated";
        SurveySent "Survey Sent" = "Survey Viewed" "Survey Shown";
        SurveyAnswered "Survey Answered" = "Survey Completed" "Survey Submitted"
            "Survey Responded" "Survey Response Submitted" "Answered Survey" "Completed Survey";
        FeedbackGiven "Feedback Given" = "Feedback Submitted" "Feedback Received";
        TicketOpened "Support Ticket Opened" = "Support Ticket Created" "Ticket Opened"
            "Ticket Created" "Support Request Created" "Case Created";
        TicketUpdated "Support Ticket Updated" = "Ticket Updated" "Ticket Replied";
        TicketSolved "Support Ticket Solved" = "Support Ticket Closed" "Support Ticket Resolved"
            "Ticket Solved" "Ticket Closed" "Ticket Resolved" "Case Closed";
        TicketRated "Support Ticket Rated" = "Ticket Rated";
        ChatStarted "Live Chat Conversation Started" = "Chat Started";
        ChatEnded "Live Chat Conversation Ended" = "Chat Ended";
        ChatMessageSent "Live Chat Message Sent" = "Chat Message Sent";
        ChatMessageReceived "Live Chat Message Received" = "Chat Message Received";
    }
}

/// Names without case, spaces and punctuation.
static BY_NAME: LazyLock<HashMap<String, StandardEvent, FixedState>> = LazyLock::new(|| {
    let all = StandardEvent::ALL.iter();
    all.flat_map(|&event| {
        let names = std::iter::once(event.name()).chain(event.other_names().iter().copied());
        names.map(move |name| (normalised(name), event))
    })
    .collect()
});
/// Longer names are no standard ones.
const LONGEST_NAME: usize = 64;

impl StandardEvent {
    /// The event that a name stands for, however it is written.
    pub fn named(name: &str) -> Option<Self> {
        let mut buffer = [0_u8; LONGEST_NAME];
        let mut length = 0;
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() {
                *buffer.get_mut(length)? = byte.to_ascii_lowercase();
                length += 1;
            } else if !byte.is_ascii() {
                // No standard name has other letters.
                return None;
            }
        }
        let word = std::str::from_utf8(&buffer[..length]).ok()?;
        BY_NAME.get(word).copied()
    }

    /// Whether somebody does it on a site or in an app, rather than it being done to them,
    /// elsewhere, or happening by itself.
    pub fn is_of_visit(self) -> bool {
        !matches!(
            self,
            Self::OrderUpdated
                | Self::OrderRefunded
                | Self::OrderCancelled
                | Self::EmailSent
                | Self::EmailDelivered
                | Self::EmailOpened
                | Self::EmailLinkClicked
                | Self::EmailBounced
                | Self::EmailMarkedAsSpam
                | Self::Unsubscribed
                | Self::PushReceived
                | Self::PushTapped
                | Self::AccountAddedUser
                | Self::AccountRemovedUser
                | Self::TrialEnded
                | Self::TrialConverted
                | Self::SubscriptionRenewed
                | Self::SubscriptionExpired
                | Self::PaymentFailed
                | Self::ApplicationBackgrounded
                | Self::ApplicationUninstalled
                | Self::SurveySent
                | Self::TicketUpdated
                | Self::TicketSolved
                | Self::ChatMessageReceived
        )
    }

    /// Whether its texts are what a person wrote.
    pub fn is_written(self) -> bool {
        self.family() == Family::Attitude
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_told_however_they_are_written() {
        for name in [
            "Order Completed",
            "order_completed",
            "orderCompleted",
            "ORDER-COMPLETED",
            "Completed Order",
            " order completed ",
        ] {
            assert_eq!(
                StandardEvent::named(name),
                Some(StandardEvent::OrderCompleted),
                "{name}"
            );
        }
        for name in [
            "",
            "Order",
            "Order Completed 2",
            "Ordér Completed",
            &"x".repeat(9_999),
        ] {
            assert_eq!(StandardEvent::named(name), None, "{name}");
        }
    }

    #[test]
    fn each_name_stands_for_one_event() {
        let mut seen = HashSet::new();
        for &event in StandardEvent::ALL {
            for name in std::iter::once(&event.name()).chain(event.other_names()) {
                assert!(seen.insert(normalised(name)), "{name}");
                assert!(name.len() < LONGEST_NAME);
                assert_eq!(StandardEvent::named(name), Some(event));
            }
        }
    }
}
