// The form of an address to listen on: `host:port`, with IPv6 in brackets.

/** Groups: IPv6 address with an optional zone, or else host, then the port. */
export const BIND_ADDRESS = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([^\s:/[\]]+)):(\d{1,5})$/
