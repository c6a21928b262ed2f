// The part of an address that a client cannot vary: its IPv4 address, or the /64 of its IPv6 address (RFC 4291, 2.5.1).

const GROUPS_OF_NETWORK = 4
const GROUPS = 8

/** `address`: in the form that the engine gives it (RFC 5952). */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const front = groupsOf(head)
  const back = tail === undefined ? [] : groupsOf(tail)
  const zeros = Array.from({ length: Math.max(0, GROUPS - front.length - back.length) }, () => '0')
  return [...front, ...(tail === undefined ? [] : zeros), ...back].slice(0, GROUPS_OF_NETWORK).join(':')
}

function groupsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(':')
}
