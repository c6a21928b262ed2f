// How UDP sockets resolve where they send: an address is its own result. Node would wait a turn for each datagram.
import type { SocketOptions } from 'node:dgram'
import { lookup } from 'node:dns'
import { isIP } from 'node:net'

type Lookup = NonNullable<SocketOptions['lookup']>
type Resolved = (error: Error | null, address: string, family: number) => void

export const lookupAtOnce = ((host: string, options: number | { readonly family?: number }, done: Resolved): void => {
  const family = isIP(host)
  if (family !== 0) done(null, host, family)
  else lookup(host, { family: typeof options === 'number' ? options : (options.family ?? 0) }, done)
}) as Lookup
