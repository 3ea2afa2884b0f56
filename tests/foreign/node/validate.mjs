// Validates JSON documents with Ajv, as editors do.
//
//     validate.mjs SCHEMA.json FILE...
//
// Prints a line of JSON for each file: its name, and what is wrong with it.

import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'

const [schema, ...files] = process.argv.slice(2)
const read = (file) => JSON.parse(readFileSync(file, 'utf8'))

// Strict: a slip in the schema itself is an error.
const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true })
const validate = ajv.compile(read(schema))
for (const file of files) {
  const errors = validate(read(file)) ? [] : validate.errors
  const text = ({ instancePath, message, params }) =>
    `${instancePath} ${message}${params.additionalProperty ? ` (${params.additionalProperty})` : ''}`
  console.log(JSON.stringify({ file, errors: errors.map(text) }))
}
