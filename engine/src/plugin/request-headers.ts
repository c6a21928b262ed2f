// The option kind `requestHeaders`: headers that the user adds to requests of a plugin.
import { z } from 'zod'
import { secret } from './options.js'

/** RFC 9110 section 5.1. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/
/** Headers that the sender sets itself. */
const RESERVED = /^(?:host|content-length|content-type|transfer-encoding|connection|x-millrace-.*)$/i

/** A map of headers, whose values are secret; not those that the sender sets itself. */
export function requestHeaders(): z.ZodType<Record<string, string>, Record<string, string>> {
  return z
    .record(z.string(), secret({ mayBePlain: () => true }))
    .refine(
      (headers) => Object.keys(headers).every((name) => HEADER_NAME.test(name) && !RESERVED.test(name)),
      'must contain valid header names, and none that the sender sets itself',
    )
    .refine(
      (headers) => Object.values(headers).every((value) => /^[\t\x20-\x7e]*$/.test(value)),
      'must have values in printable ASCII',
    )
}
