// What can go wrong with a listening socket and with the paths on it. Errors of a request are no errors of ours: they
// are answered and counted.
import { defineErrors } from '../errors.js'

export const listenError = defineErrors({
  LISTEN_UNKNOWN: {
    sentence: 'A node names a listener that the configuration does not have.',
    hint: 'Add it under `listeners:`, or use `api`, which is always there.',
    reaction: 'config',
  },
  LISTEN_PATH_TAKEN: {
    sentence: 'Two nodes want the same path on the same listener.',
    hint: 'Give one of them another `path` or another `listener`.',
    reaction: 'config',
  },
  LISTEN_BAD_PATH: {
    sentence: 'A path on a listener does not start with a slash.',
    hint: 'Write the path as a viewer asks for it, without host and query: `/one.ts`.',
    reaction: 'config',
  },
  LISTEN_BAD_ADDRESS: {
    sentence: 'The address of a listener is not `host:port`.',
    hint: 'Write `0.0.0.0:8000`, `127.0.0.1:0` for any free port, or `[::]:8000`.',
    reaction: 'config',
  },
  LISTEN_BAD_RANGE: {
    sentence: 'An entry of a list of addresses is no address.',
    hint: 'Write an address, or a range such as `10.0.0.0/8` or `2001:db8::/32`.',
    reaction: 'config',
  },
  LISTEN_BAD_CERTIFICATE: {
    sentence: 'The certificate or the key of a listener is missing or wrong.',
    hint: 'Both are PEM files that this user can read; the certificate comes first in its file, and the key is its own.',
    reaction: 'config',
  },
  LISTEN_IN_USE: {
    sentence: 'Another program, or another listener, holds the address.',
    hint: 'Stop what holds it (`ss -ltnp` tells), or choose another port.',
    reaction: 'retry',
  },
  LISTEN_DENIED: {
    sentence: 'The system does not let this user listen on the address.',
    hint: 'Use a port from 1024 up, or give the process CAP_NET_BIND_SERVICE.',
    reaction: 'config',
  },
  LISTEN_NO_ADDRESS: {
    sentence: 'This machine does not have the address.',
    hint: 'Use an address of this machine (`ip address` lists them), or `0.0.0.0` for all.',
    reaction: 'retry',
  },
  LISTEN_FAILED: {
    sentence: 'The system refused to listen.',
    hint: 'The cause says why.',
    reaction: 'retry',
  },
})
