// Input `http`: a transport stream from an upstream over HTTP or HTTPS, or from the first of several that delivers it.
import { CLOCK, defineCommand, defineInput, trustedAuthorities } from '@millrace/engine/plugin'
import { z } from 'zod'
import { HTTP_METRICS } from './http-counters.js'
import { httpError } from './http-errors.js'
import { httpOptions } from './http-options.js'
import { HttpSource } from './http-source.js'
import { isInternalAddress } from './internal-address.js'
import { readUpstreams } from './upstream.js'

export default defineInput({
  type: 'http',
  summary: 'A transport stream from an HTTP upstream; reconnects whenever the upstream fails.',
  produces: 'bytes',
  options: httpOptions,
  inject: { clock: CLOCK },
  metrics: HTTP_METRICS,
  commands: {
    next: defineCommand({
      summary: 'Leaves the current URL and connects to the next one at once; with one URL, connects to it again.',
      input: z.strictObject({}),
      run: (source: HttpSource) => source.next(),
    }),
  },
  examples: [
    { title: 'One upstream', yaml: 'main: { type: http, url: "http://upstream.example/one.ts" }' },
    {
      title: 'Several upstreams, with a password',
      yaml: [
        'main:',
        '  type: http',
        '  urls: ["https://a.example/one.ts", "https://b.example/one.ts"]',
        '  order: random',
        '  auth: { type: basic, username: relay, password: "${RELAY_PASSWORD}" }',
      ].join('\n'),
    },
    {
      title: 'A camera that asks for a digest, and takes long to start',
      yaml: [
        'main:',
        '  type: http',
        '  url: "http://10.0.0.8/live.ts"',
        '  firstByteTimeout: 40s',
        '  auth: { type: digest, username: relay, password: "${RELAY_PASSWORD}" }',
      ].join('\n'),
    },
    {
      title: 'A private certificate authority and a token',
      yaml: [
        'main:',
        '  type: http',
        '  url: "https://10.0.0.7/one.ts"',
        '  tls: { ca: authority.pem }',
        '  auth: { type: bearer, token: "${RELAY_TOKEN}" }',
      ].join('\n'),
    },
  ],
  async open(options$, context, { clock }) {
    const { url, urls, order, headers, auth, tls, lenient, redirects } = options$.value
    const upstreams = readUpstreams({ urls: urls ?? (url === undefined ? [] : [url]), headers, auth })
    if (tls.insecure) context.log.warn('tls.insecure: certificates of upstreams are not verified')
    return new HttpSource({
      upstreams,
      order,
      timeouts: () => {
        const { connectTimeout, firstByteTimeout, readTimeout } = options$.value
        return { connect: connectTimeout, firstByte: firstByteTimeout, read: readTimeout }
      },
      secureContext: await trustedAuthorities(tls.ca).catch((error: unknown) => {
        throw httpError('HTTP_CA', error instanceof Error ? error.message : String(error), { cause: error })
      }),
      insecure: tls.insecure,
      lenient,
      redirects,
      isInternal: isInternalAddress,
      context,
      clock,
      random: Math.random,
    })
  },
})
