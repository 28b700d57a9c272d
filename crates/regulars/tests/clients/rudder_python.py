"""rudder-sdk-python: the story of one customer (tests/it/clients.rs)."""
import os, sys
import rudderstack.analytics as analytics

me = sys.argv[1]
failures = []
analytics.write_key = os.environ["REGULARS_KEY"]
analytics.dataPlaneUrl = os.environ["REGULARS_HOST"]
analytics.on_error = lambda error, items: failures.append(error)

product = {"product_id": "p-1", "price": 19.99, "quantity": 1}
analytics.track(anonymous_id=f"visitor-{me}", event="Products Searched", properties={"query": "coat"})
analytics.identify(me, {"email": f"{me}@example.com", "plan": "gold"}, anonymous_id=f"visitor-{me}")
analytics.track(me, "Products Searched", {"query": "red coat"})
analytics.track(me, "Order Completed", {"order_id": f"o-{me}", "total": 19.99, "currency": "EUR", "products": [product]})
analytics.page(me, "Docs", "Home", {"url": "https://shop.example/"})
analytics.screen(me, "Main", "Welcome", {})
analytics.group(me, "acme", {"name": "Acme"})
analytics.flush()
analytics.shutdown()
sys.exit(f"{failures}" if failures else 0)
