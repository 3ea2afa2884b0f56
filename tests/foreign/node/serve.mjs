// An MLLP server with node-hl7-server, over TLS if a certificate is given.
//
//     serve.mjs [--certificate C.pem --key K.pem]
//
// Prints its port, then each message that it took, as lines of JSON; answers each with AA.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Server } from 'node-hl7-server'

const { values } = parseArgs({
  options: { certificate: { type: 'string' }, key: { type: 'string' } }
})

const server = new Server({
  bindAddress: '127.0.0.1',
  tls: values.certificate === undefined
    ? undefined
    : { cert: readFileSync(values.certificate), key: readFileSync(values.key) }
})

const inbound = server.createInbound({ port: 0 }, async (request, response) => {
  console.log(JSON.stringify({ message: request.getMessage().toString() }))
  await response.sendResponse('AA')
})
// It has no way to say which port it was given.
inbound.on('listen', () => console.log(JSON.stringify({ port: inbound._socket.address().port })))
inbound.on('data.error', (error) => console.error(error))
