// @segment/analytics-next, the browser library: the story of one customer (tests/it/clients.rs).
//
// The published bundle runs in a page of jsdom. jsdom has no `fetch`; the one given to it is
// Node's with the rules of CORS that a browser applies: a preflight before what is not a simple
// request, and no answer without `Access-Control-Allow-Origin`.
const { JSDOM } = require('jsdom')
const { readFileSync } = require('node:fs')

const me = process.argv[2]
const host = process.env.REGULARS_HOST
const page = new JSDOM('<title>Shop</title>', {
  url: 'https://shop.example/coats', runScripts: 'outside-only', pretendToBeVisual: true,
})
const { window } = page
const origin = window.location.origin
const simple = ['accept', 'accept-language', 'content-language']
const allows = (header, wanted) => {
  const allowed = (header ?? '').toLowerCase().split(',').map((one) => one.trim())
  return allowed.includes('*') || allowed.includes(wanted.toLowerCase())
}

let sent = 0
window.fetch = async (url, options = {}) => {
  const method = (options.method ?? 'GET').toUpperCase()
  const headers = new Headers(options.headers)
  const asks = [...headers.keys()].filter((name) => !simple.includes(name) &&
    !(name === 'content-type' && /^(text\/plain|multipart\/form-data|application\/x-www-form-urlencoded)/.test(headers.get(name))))
  if (asks.length > 0 || !['GET', 'HEAD', 'POST'].includes(method)) {
    const preflight = await fetch(url, { method: 'OPTIONS', headers: {
      origin, 'access-control-request-method': method, 'access-control-request-headers': asks.join(',') } })
    const allowed = preflight.headers.get('access-control-allow-headers')
    const refused = asks.filter((name) => !allows(allowed, name))
    if (!preflight.ok || refused.length > 0) throw new TypeError(`CORS: ${url} refuses ${refused} (${preflight.status})`)
  }
  const { signal, keepalive, ...rest } = options
  const response = await fetch(url, { ...rest, method, headers: { ...Object.fromEntries(headers), origin } })
  if (!allows(response.headers.get('access-control-allow-origin'), origin)) throw new TypeError(`CORS: ${url}`)
  if (!response.ok) console.error(url, response.status, await response.clone().text())
  if (response.ok && method === 'POST') sent += 1
  return response
}
Object.assign(window, { Headers, Request, Response, AbortController })
window.eval(readFileSync(require.resolve('@segment/analytics-next/dist/umd/index.js'), 'utf8'))

const main = async () => {
  const settings = { writeKey: process.env.REGULARS_KEY, cdnURL: host }
  const { host: place } = new URL(host)
  const integrations = { 'Segment.io': { apiHost: `${place}/v1`, protocol: 'http' } }
  const [analytics] = await window.AnalyticsNext.AnalyticsBrowser.load(settings, { integrations })
  const product = { product_id: 'p-1', price: 19.99, quantity: 1 }
  await analytics.page('Docs', 'Home')
  await analytics.track('Products Searched', { query: 'coat' })
  await analytics.identify(me, { email: `${me}@example.com`, plan: 'gold' })
  await analytics.track('Products Searched', { query: 'red coat' })
  await analytics.track('Order Completed', { order_id: `o-${me}`, total: 19.99, currency: 'EUR', products: [product] })
  await analytics.group('acme', { name: 'Acme' })
  for (let waited = 0; sent < 6 && waited < 10000; waited += 20) await new Promise((done) => setTimeout(done, 20))
  window.close()
  if (sent !== 6) console.error(`${sent} of 6 calls were sent`)
  process.exit(sent === 6 ? 0 : 1)
}
main().catch((error) => { console.error(error); process.exit(1) })
