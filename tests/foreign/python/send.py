"""Sends HL7 files with python-hl7's own asyncio client, over TLS if a CA is given.

    send.py HOST PORT [--ca CA.pem [--certificate C.pem --key K.pem]] FILE...

Prints each answer as one line of JSON. `mllp_send`, the package's command, is run by itself: it has
no TLS.
"""

import argparse
import asyncio
import json
import ssl

import hl7
from hl7.mllp import open_hl7_connection


def tls(arguments):
    if arguments.ca is None:
        return None
    context = ssl.create_default_context(cafile=arguments.ca)
    if arguments.certificate is not None:
        context.load_cert_chain(arguments.certificate, arguments.key)
    return context


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--ca")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    reader, writer = await open_hl7_connection(
        arguments.host, arguments.port, ssl=tls(arguments), encoding="utf-8"
    )
    for name in arguments.files:
        with open(name, encoding="utf-8", newline="") as file:
            writer.writemessage(hl7.parse(file.read()))
        await writer.drain()
        answer = await reader.readmessage()
        print(json.dumps({"answer": str(answer)}), flush=True)
    writer.close()
    await writer.wait_closed()


asyncio.run(main())
