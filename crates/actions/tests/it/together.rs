//! From a transition to the receiver and back: destination, outbox, payload, signature, client.

use std::sync::Arc;

use regulars_actions::payload::{Story, Who};
use regulars_actions::signature::{Headers, SignedMessage, verify};
use regulars_actions::{Client, Destination, Enqueued, Mark, Outbox, OutboxSettings, Status};
use regulars_core::{
    Cause, CustomerId, Direction, SegmentName, Timestamp, Transition, TransitionId,
};

use crate::client::{NOW, loopback_settings, secret};
use crate::receiver::{Receiver, status};

fn transition() -> Transition {
    Transition {
        id: TransitionId(0xc0ffee),
        customer: CustomerId(7),
        segment: SegmentName::new("high_value_abandoned_carts").unwrap(),
        version: 1,
        sequence: 1,
        direction: Direction::Entered,
        occurred_at: NOW,
        recorded_at: NOW,
        cause: Cause::Time,
    }
}

#[tokio::test]
async fn what_fails_once_arrives_with_the_same_id_and_a_new_signature() {
    let manners = vec![
        status("500 Internal Server Error", ""),
        status("200 OK", ""),
    ];
    let receiver = Receiver::start(manners).await;
    let definition = format!(
        "version = 1\nid = \"crm\"\nurl = \"{}\"\nsecret_ids = [\"crm-1\"]\n",
        receiver.url()
    );
    let destination: Destination = toml::from_str(&definition).unwrap();
    let client = Client::new(&loopback_settings(20_000), b"").unwrap();
    let mut outbox = Outbox::new(OutboxSettings::default()).unwrap();
    outbox.enable(&destination.id);
    let transition = Arc::new(transition());
    assert!(destination.wants(&transition));
    let Enqueued::New(id) = outbox.enqueue(&destination.id, &transition) else {
        panic!("it is new");
    };

    let mut now = NOW;
    let mut marks = Vec::new();
    while let Some(at) = outbox.next_wake(now) {
        now = now.max(at);
        for attempt in outbox.next_due(now).attempts {
            let who = Who {
                customer_id: Some("c-17"),
                anonymous_id: None,
            };
            let why = "open_cart_value = 140, at least 100";
            let story = Story {
                transition: &attempt.transition,
                who,
                why,
                space: "shop",
            };
            let body = story.body(destination.form).unwrap();
            let message =
                SignedMessage::new(attempt.transition.id, now, body, &[secret()]).unwrap();
            let outcome = client.send(&destination.url, &message).await;
            marks.extend(outbox.completed(&attempt, outcome, now, 1.0));
        }
    }
    assert!(matches!(
        marks[..],
        [Mark::Failed { .. }, Mark::Delivered { attempts: 2, .. }]
    ));
    assert_eq!(outbox.get(&id).unwrap().status, Status::Delivered);

    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
    for (request, seconds_later) in received.iter().zip([0, 5]) {
        let headers = Headers {
            id: &request.headers["webhook-id"],
            timestamp: &request.headers["webhook-timestamp"],
            signature: &request.headers["webhook-signature"],
        };
        assert_eq!(headers.id, "00000000000000000000000000c0ffee");
        let at = Timestamp(NOW.0 + seconds_later * 1000);
        assert_eq!(headers.timestamp, (at.0 / 1000).to_string());
        assert_eq!(verify(&secret(), headers, &request.body, at), Ok(()));
    }
}
