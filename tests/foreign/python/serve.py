"""An MLLP server with python-hl7's own asyncio server, over TLS if a certificate is given.

    serve.py [--certificate C.pem --key K.pem [--ca CA.pem]]

Prints its port, then each message that it took, as lines of JSON; answers each with AA.
"""

import argparse
import asyncio
import json
import ssl

from hl7.mllp import start_hl7_server


def tls(arguments):
    if arguments.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=arguments.ca)
    context.load_cert_chain(arguments.certificate, arguments.key)
    if arguments.ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def serve(reader, writer):
    try:
        while True:
            message = await reader.readmessage()
            print(json.dumps({"message": str(message)}), flush=True)
            writer.writemessage(message.create_ack("AA"))
            await writer.drain()
    except asyncio.IncompleteReadError:
        writer.close()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--ca")
    arguments = parser.parse_args()
    server = await start_hl7_server(
        serve, "127.0.0.1", 0, ssl=tls(arguments), encoding="utf-8", limit=16 << 20
    )
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
