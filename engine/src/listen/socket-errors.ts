// Errors of the sockets that nodes open through SOCKETS.
import { defineErrors, type EngineError } from '../errors.js'

export const socketError = defineErrors({
  SOCKET_IN_USE: {
    sentence: 'Another program or node is using the address or the socket file.',
    hint: 'Stop the program that uses it (`ss -lunp`, `ss -lxp` show it), or choose another port or path.',
    reaction: 'retry',
  },
  SOCKET_DENIED: {
    sentence: 'The system does not let this user use the address or the path.',
    hint: 'For ports below 1024 give the process CAP_NET_BIND_SERVICE; for a path, give this user write access to its folder, and to the socket file.',
    reaction: 'config',
  },
  SOCKET_NO_ADDRESS: {
    sentence: 'This machine does not have the address, or the folder of the path does not exist.',
    hint: 'Use an address of this machine (`ip address` lists them), or `0.0.0.0` for all of them; create the folder of a unix socket.',
    reaction: 'retry',
  },
  SOCKET_NO_INTERFACE: {
    sentence: 'This machine has no network interface of that name or address, or it is down.',
    hint: 'Use one of the interfaces in the message, or leave the option out. One without a cable, or without an address, is not among them; the node tries again until it is.',
    reaction: 'retry',
  },
  SOCKET_JOIN: {
    sentence: 'The multicast group cannot be joined.',
    hint: 'Without a route for multicast, name the `interface`. With many groups, raise `net.ipv4.igmp_max_memberships`; with many sources, `net.ipv4.igmp_max_msf`.',
    reaction: 'retry',
  },
  SOCKET_UNKNOWN_HOST: {
    sentence: 'The host name cannot be resolved.',
    hint: 'Check the spelling and the name server, or use an IP address.',
    reaction: 'retry',
  },
  SOCKET_UNREACHABLE: {
    sentence: 'The network or the host cannot be reached.',
    hint: 'Check the address, the routes (`ip route get ADDRESS`) and the firewall.',
    reaction: 'retry',
  },
  SOCKET_REFUSED: {
    sentence: 'Nothing listens at the address or on the socket file.',
    hint: 'Start the receiver, or correct the address, port or path.',
    reaction: 'retry',
  },
  SOCKET_TIMEOUT: {
    sentence: 'The connection was not established in time.',
    hint: 'Check that the host is up, and that no firewall drops the packets.',
    reaction: 'retry',
  },
  SOCKET_TLS: {
    sentence: 'The other end does not speak TLS, or its certificate is not trusted.',
    hint: 'Check the port. Trust the authority that signed the certificate, and give the name that the certificate has.',
    reaction: 'retry',
  },
  SOCKET_BROKEN: {
    sentence: 'The connection was lost while data was sent over it.',
    hint: 'The cause says why; check the log of the other end.',
    reaction: 'retry',
  },
  SOCKET_NOT_A_SOCKET: {
    sentence: 'The path exists and is not a socket.',
    hint: 'Choose another path, or move the file away: it is never overwritten.',
    reaction: 'config',
  },
  SOCKET_NO_DESCRIPTORS: {
    sentence: 'No file descriptor is left for the socket.',
    hint: 'Raise the limit: `ulimit -n`, or `LimitNOFILE=` in systemd.',
    reaction: 'retry',
  },
  SOCKET_FAILED: {
    sentence: 'The system refused the socket.',
    hint: 'The cause says why.',
    reaction: 'retry',
  },
})

type SocketErrorCode = keyof typeof socketError.table

/** System errors that mean the same wherever they come from. */
const CODES: Readonly<Record<string, SocketErrorCode>> = {
  EADDRINUSE: 'SOCKET_IN_USE',
  EACCES: 'SOCKET_DENIED',
  EPERM: 'SOCKET_DENIED',
  EADDRNOTAVAIL: 'SOCKET_NO_ADDRESS',
  EAFNOSUPPORT: 'SOCKET_NO_ADDRESS',
  ENOTFOUND: 'SOCKET_UNKNOWN_HOST',
  EAI_AGAIN: 'SOCKET_UNKNOWN_HOST',
  ENETUNREACH: 'SOCKET_UNREACHABLE',
  EHOSTUNREACH: 'SOCKET_UNREACHABLE',
  ENETDOWN: 'SOCKET_UNREACHABLE',
  ECONNREFUSED: 'SOCKET_REFUSED',
  ENOENT: 'SOCKET_REFUSED',
  ETIMEDOUT: 'SOCKET_TIMEOUT',
  ECONNRESET: 'SOCKET_BROKEN',
  EPIPE: 'SOCKET_BROKEN',
  EMFILE: 'SOCKET_NO_DESCRIPTORS',
  ENFILE: 'SOCKET_NO_DESCRIPTORS',
}

const TEXTS: Readonly<Partial<Record<SocketErrorCode, string>>> = {
  SOCKET_IN_USE: 'it is in use',
  SOCKET_DENIED: 'not permitted',
  SOCKET_NO_ADDRESS: 'this machine does not have it',
  SOCKET_UNKNOWN_HOST: 'the name cannot be resolved',
  SOCKET_UNREACHABLE: 'it cannot be reached',
  SOCKET_REFUSED: 'nothing listens there',
  SOCKET_TIMEOUT: 'no connection in time',
  SOCKET_BROKEN: 'the connection broke',
  SOCKET_NO_DESCRIPTORS: 'no file descriptor is left',
}

/** Ours for an error of the system. `subject`: what was tried, such as `UDP 0.0.0.0:5000`. */
export function explainSocketError(subject: string, cause: NodeJS.ErrnoException): EngineError {
  const code = CODES[cause.code ?? ''] ?? 'SOCKET_FAILED'
  return socketError(code, `${subject}: ${TEXTS[code] ?? cause.message}`, { cause })
}
