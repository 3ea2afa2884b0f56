// Sends HL7 files with node-hl7-client, over TLS if a CA is given.
//
//     send.mjs HOST PORT [--ca CA.pem] FILE...
//
// Prints each answer as one line of JSON.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Client, Message } from 'node-hl7-client'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { ca: { type: 'string' } }
})
const [host, port, ...files] = positionals

const client = new Client({
  host,
  version: '2.5.1',
  tls: values.ca === undefined ? undefined : { ca: readFileSync(values.ca) }
})

let answered
const outbound = client.createConnection({ port: Number(port), waitAck: true }, (response) => {
  console.log(JSON.stringify({ answer: response.getMessage().toString() }))
  answered()
})
outbound.on('client.error', (error) => fail(error))
outbound.on('error', (error) => fail(error))

for (const file of files) {
  const wait = new Promise((resolve) => { answered = resolve })
  await outbound.sendMessage(new Message({ text: readFileSync(file, 'utf8') }))
  await wait
}
await outbound.close()
process.exit(0)

function fail (error) {
  console.error(error)
  process.exit(1)
}
