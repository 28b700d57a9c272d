"""A hundred segments beside the ready-made ones, as a shop with many campaigns has them."""

CATEGORIES = [
    "Dresses", "Tops", "Jeans", "Knitwear", "Outerwear", "Shoes",
    "Bags", "Basics", "Phones", "Audio", "Computers", "Wearables",
]


def rules():
    """Name and rule of each."""
    for category in CATEGORIES:
        slug = category.lower()
        yield f"looks_at_{slug}", f"events 'Product Viewed' where category = '{category}' in last 7 days >= 6"
        yield f"buys_{slug}", f"orders where category = '{category}' in last 180 days >= 2"
    for days in (1, 3, 7, 14, 30):
        yield f"busy_{days}", f"events 'Product Viewed' in last {days} days >= {25 + days}"
        yield f"curious_{days}", f"distinct product_id of events 'Product Viewed' in last {days} days >= {30 + days}"
        yield f"dear_taste_{days}", f"sum of price of events 'Product Viewed' in last {days} days > {10_000 + 100 * days}"
        yield f"clicks_{days}", f"events 'Email Link Clicked' in last {days} days >= 4"
        yield f"ordered_{days}", f"orders in last {days} days >= {days + 1}"
        yield f"spent_{days}", f"revenue in last {days} days >= {1000 + 100 * days}"
    for price in (50, 100, 150, 200, 250, 300, 350, 400, 500, 600, 800, 1000):
        yield f"wants_{price}", f"events 'Product Viewed' where price >= {price} and quantity >= 2 in last 7 days >= 12"
    for minutes in (15, 60, 240, 720):
        yield f"cart_idle_{minutes}", f"carts where value >= 100 and items < 2 and idle for {minutes} minutes >= 1"
        yield f"no_order_{minutes}", f"event 'Checkout Started' where value >= 195 then not event 'Order Completed' within {minutes} minutes"
    for value in (500, 1000, 1500, 2000, 3000, 5000, 8000, 10_000):
        yield f"full_cart_{value}", f"carts where value >= {value} >= 1"
        yield f"spender_{value}", f"average_order_value >= {value} and orders >= 2"
    for orders in (2, 3, 5, 8, 12):
        yield f"regular_{orders}", f"orders in last 365 days >= {orders} and not in segment dormant"
        yield f"silent_{orders}", f"orders >= {orders} and last_order before {30 * orders} days ago"


def as_toml():
    """The file of segments."""
    all_rules = list(rules())
    assert len(all_rules) == 100, len(all_rules)
    return "\n".join(f'[[segment]]\nname = "{name}"\nrule = "{rule}"\n' for name, rule in all_rules)
