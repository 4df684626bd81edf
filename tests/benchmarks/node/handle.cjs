// What Onfile is compared with, as its README shows it: verify a webhook and upsert its object.
//
// `node handle.cjs DATABASE_URL SECRET`; then as laps.py says: on stdin how many to have in flight
// and the file of deliveries, on stdout the seconds they took. CommonJS, since as an ES module the
// package does not find its own migrations.
'use strict'

const { readFileSync } = require('node:fs')
const { createInterface } = require('node:readline')
const { StripeSync, runMigrations } = require('@supabase/stripe-sync-engine')

const CONNECTIONS = 16 // its own default is 10; 16 were a little faster here, 64 much slower

const [databaseUrl, stripeWebhookSecret] = process.argv.slice(2)

// Without a logger that throws, it would go on with half of its tables.
const strict = { info() {}, error(error) { throw error } }

async function lap(sync, inFlight, deliveries) {
  let next = 0
  const caller = async () => {
    while (next < deliveries.length) {
      const { body, signature } = deliveries[next++]
      await sync.processWebhook(body, signature)
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: inFlight }, caller))
  return (performance.now() - began) / 1000
}

function read(path) {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line))
  return lines.map(({ body, signature }) => ({ body: Buffer.from(body), signature }))
}

async function main() {
  await runMigrations({ databaseUrl, schema: 'stripe', logger: strict })
  const sync = new StripeSync({
    poolConfig: { connectionString: databaseUrl, max: CONNECTIONS },
    stripeSecretKey: 'sk_test_never_used',
    stripeWebhookSecret,
  })
  for await (const line of createInterface({ input: process.stdin })) {
    const [, inFlight, path] = /^(\d+) (.+)$/.exec(line)
    console.log(await lap(sync, Number(inFlight), read(path)))
  }
  await sync.close()
}

main()
