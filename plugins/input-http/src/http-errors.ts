// What can go wrong with an upstream. All but the CA file passes, so that the engine tries again for ever.
import { defineErrors } from '@millrace/engine/plugin'

export const httpError = defineErrors({
  HTTP_CONNECT: {
    sentence: 'No connection to the upstream, or it was lost before an answer came.',
    hint: 'Is the upstream running, and do host and port of the URL name it? Does a firewall stand between?',
    reaction: 'retry',
  },
  HTTP_TLS: {
    sentence: 'The upstream speaks no TLS, or its certificate is not to be trusted.',
    hint: 'Renew the certificate, or name the authority that signed it in `tls.ca`. `tls.insecure` trusts anybody.',
    reaction: 'retry',
  },
  HTTP_TIMEOUT: {
    sentence: 'The upstream did not connect within `connectTimeout`, or did not answer within `readTimeout`.',
    hint: 'Is it overloaded, or does it start its stream on demand? Then give it more time.',
    reaction: 'retry',
  },
  HTTP_BAD_ANSWER: {
    sentence: 'What answers does not speak HTTP, or its response head is larger than 16 KiB.',
    hint: 'Look at the scheme (http or https) and the port of the URL.',
    reaction: 'retry',
  },
  HTTP_STATUS: {
    sentence: 'The upstream answered with a status that is not 2xx.',
    hint: '401 and 403: look at `auth`. 404: look at the path. 5xx: look into the log of the upstream.',
    reaction: 'retry',
  },
  HTTP_REDIRECTS: {
    sentence:
      'A redirect cannot be followed: the 11th, a loop, from https to http, to another scheme, or to no valid URL.',
    hint: 'Give the URL at which the stream really is.',
    reaction: 'retry',
  },
  HTTP_ENCODED: {
    sentence: 'The upstream compresses the stream, though it was asked not to.',
    hint: 'Switch compression off for this path of the upstream, or of the proxy in front of it.',
    reaction: 'retry',
  },
  HTTP_NOT_TS: {
    sentence: 'What the upstream sends is no MPEG transport stream.',
    hint: 'Open the URL with curl: is it an error page, a login page or a playlist?',
    reaction: 'retry',
  },
  HTTP_SILENT: {
    sentence: 'No byte came for `readTimeout`, or not one packet in twice that time.',
    hint: 'Does the upstream still get a stream itself?',
    reaction: 'retry',
  },
  HTTP_BROKEN: {
    sentence: 'The connection was lost in the middle of the stream.',
    hint: 'Look into the log of the upstream and at the network between.',
    reaction: 'retry',
  },
  HTTP_ENDED: {
    sentence: 'The upstream ended the stream.',
    hint: 'A live stream has no end: does the upstream serve a file, or was it restarted?',
    reaction: 'retry',
  },
  HTTP_CA: {
    sentence: 'The file of `tls.ca` cannot be read, or holds no certificate.',
    hint: 'Give a file in PEM form (`-----BEGIN CERTIFICATE-----`) that the user of the engine can read.',
    reaction: 'config',
  },
})

export type HttpErrorCode = keyof typeof httpError.table
