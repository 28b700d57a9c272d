// @rudderstack/rudder-sdk-node: the story of one customer (tests/it/clients.rs).
const sdk = require('@rudderstack/rudder-sdk-node')
const Analytics = sdk.default ?? sdk

const me = process.argv[2]
const analytics = new Analytics(process.env.REGULARS_KEY, { dataPlaneUrl: process.env.REGULARS_HOST })

const product = { product_id: 'p-1', price: 19.99, quantity: 1 }
const anonymousId = `visitor-${me}`
analytics.track({ anonymousId, event: 'Products Searched', properties: { query: 'coat' } })
analytics.identify({ userId: me, anonymousId, traits: { email: `${me}@example.com`, plan: 'gold' } })
analytics.track({ userId: me, event: 'Products Searched', properties: { query: 'red coat' } })
analytics.track({ userId: me, event: 'Order Completed', properties: { order_id: `o-${me}`, total: 19.99, currency: 'EUR', products: [product] } })
analytics.page({ userId: me, category: 'Docs', name: 'Home', properties: { url: 'https://shop.example/' } })
analytics.screen({ userId: me, name: 'Welcome' })
analytics.group({ userId: me, groupId: 'acme', traits: { name: 'Acme' } })
analytics.flush((error) => { if (error) console.error(error); process.exit(error ? 1 : 0) })
