// Errors of an upstream. All except the CA file can be temporary, so the engine retries them forever.
import { defineErrors } from '@millrace/engine/plugin'

export const httpError = defineErrors({
  HTTP_CONNECT: {
    sentence: 'The upstream could not be reached, or the connection was lost before a response arrived.',
    hint: 'Check that the upstream is running, that the host and port of the URL are right, and that no firewall blocks them.',
    reaction: 'retry',
  },
  HTTP_TLS: {
    sentence: 'The upstream does not speak TLS, or its certificate is not trusted.',
    hint: 'Renew the certificate, or set `tls.ca` to the authority that signed it. `tls.insecure` accepts any certificate.',
    reaction: 'retry',
  },
  HTTP_TIMEOUT: {
    sentence:
      'The upstream did not accept a connection within `connectTimeout`, or did not respond within `firstByteTimeout`.',
    hint: 'If the upstream is overloaded or starts its stream on demand, raise the timeout.',
    reaction: 'retry',
  },
  HTTP_BAD_ANSWER: {
    sentence:
      'The upstream does not speak HTTP, its response head is larger than 16 KiB, or its response is not valid HTTP and `lenient` is false.',
    hint: 'Check the scheme (http or https) and the port of the URL.',
    reaction: 'retry',
  },
  HTTP_STATUS: {
    sentence: 'The upstream responded with a status other than 2xx.',
    hint: '401 or 403: check `auth`, whose type must be one that the upstream asks for. 404: check the path. 5xx: check the log of the upstream; 503 of a tuner: all of them are in use.',
    reaction: 'retry',
  },
  HTTP_REDIRECTS: {
    sentence:
      'A redirect cannot be followed: it is the 11th, forms a loop, leads to another scheme, has no valid URL, or leads where `redirects` does not allow it to (by default from a public address to an internal one).',
    hint: 'Configure the URL at which the stream really is. If the redirect is meant, `redirects: any` allows it.',
    reaction: 'retry',
  },
  HTTP_ENCODED: {
    sentence: 'The upstream compresses the stream, although the request asked it not to.',
    hint: 'Turn compression off for this path, in the upstream or in the proxy in front of it.',
    reaction: 'retry',
  },
  HTTP_NOT_TS: {
    sentence: 'The upstream does not send an MPEG transport stream.',
    hint: 'The error names what it sends instead, where that is known, and what would play it; otherwise open the URL with curl.',
    reaction: 'retry',
  },
  HTTP_SILENT: {
    sentence:
      'No byte arrived within `firstByteTimeout` of the response head, then for `readTimeout`, or less than one packet in twice that time.',
    hint: 'Check that the upstream itself still receives a stream. If it is slow to start, raise `firstByteTimeout`.',
    reaction: 'retry',
  },
  HTTP_NO_PACKETS: {
    sentence: 'Bytes arrived for `readTimeout`, but no packets among them, or null packets alone.',
    hint: 'Check the encoder behind the upstream: its stream has stopped, or has become something else.',
    reaction: 'retry',
  },
  HTTP_BROKEN: {
    sentence: 'The connection was lost in the middle of the stream.',
    hint: 'Check the log of the upstream, and the network in between.',
    reaction: 'retry',
  },
  HTTP_ENDED: {
    sentence: 'The upstream ended the stream.',
    hint: 'A live stream does not end: the upstream may serve a file, or may have been restarted.',
    reaction: 'retry',
  },
  HTTP_NEXT: {
    sentence: 'The command `next` made the input leave this URL.',
    hint: 'Nothing: the input is connecting to its next URL, or to the same one if it has only one.',
    reaction: 'retry',
  },
  HTTP_NOT_CONNECTED: {
    sentence: 'The command `next` found no connection to leave: the input is waiting to try again.',
    hint: 'The input tries its next URL by itself; `engine status` says why it is waiting.',
    reaction: 'retry',
  },
  HTTP_CA: {
    sentence: 'The file in `tls.ca` cannot be read, or contains no certificate.',
    hint: 'Give a PEM file (`-----BEGIN CERTIFICATE-----`) that the user running the engine can read.',
    reaction: 'config',
  },
})

export type HttpErrorCode = keyof typeof httpError.table
