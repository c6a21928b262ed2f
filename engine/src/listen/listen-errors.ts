// Errors of listening sockets and of the paths on them. Errors of a request are not thrown: they are answered and
// counted.
import { defineErrors } from '../errors.js'

export const listenError = defineErrors({
  LISTEN_UNKNOWN: {
    sentence: 'A node names a listener that is not configured.',
    hint: 'Add it under `listeners:`, or use `api`, which always exists.',
    reaction: 'config',
  },
  LISTEN_OTHER_PROTOCOL: {
    sentence: 'A node names a listener that speaks another protocol than the node.',
    hint: 'Name a listener of the protocol that the node needs, or add one under `listeners:` with that `protocol`.',
    reaction: 'config',
  },
  LISTEN_PATH_TAKEN: {
    sentence: 'Two nodes claim the same path on the same listener.',
    hint: 'Give one of them another `path` or another `listener`.',
    reaction: 'config',
  },
  LISTEN_BAD_PATH: {
    sentence: 'A path on a listener does not start with a slash, or a prefix does not end with one.',
    hint: 'Write the path as a viewer requests it, without host and query: `/one.ts`. End a prefix with a slash: `/one/`.',
    reaction: 'config',
  },
  LISTEN_BAD_ADDRESS: {
    sentence: 'The address of a listener is not `host:port`.',
    hint: 'Write `0.0.0.0:8000`, `127.0.0.1:0` for any free port, or `[::]:8000`.',
    reaction: 'config',
  },
  LISTEN_BAD_RANGE: {
    sentence: 'An entry of an address list is neither an address nor a range.',
    hint: 'Write an address, or a range such as `10.0.0.0/8` or `2001:db8::/32`.',
    reaction: 'config',
  },
  LISTEN_BAD_CERTIFICATE: {
    sentence: 'The certificate or the key of a listener is missing or wrong.',
    hint: 'Both must be PEM files that this user can read; the certificate must be first in its file, and the key must match it.',
    reaction: 'config',
  },
  LISTEN_IN_USE: {
    sentence: 'Another program or listener is using the address.',
    hint: 'Stop the program that uses it (`ss -ltnp` shows it), or choose another port.',
    reaction: 'retry',
  },
  LISTEN_DENIED: {
    sentence: 'The system does not let this user listen on the address.',
    hint: 'Use port 1024 or higher, or give the process CAP_NET_BIND_SERVICE.',
    reaction: 'config',
  },
  LISTEN_NO_ADDRESS: {
    sentence: 'This machine does not have the address.',
    hint: 'Use an address of this machine (`ip address` lists them), or `0.0.0.0` for all of them.',
    reaction: 'retry',
  },
  LISTEN_FAILED: {
    sentence: 'The system refused to listen.',
    hint: 'The cause says why.',
    reaction: 'retry',
  },
})
