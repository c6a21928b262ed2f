// Turns the system's errors for an address that can't be bound into ours.
import type { EngineError } from '../errors.js'
import { renderAddress } from './bind-address.js'
import { listenError } from './listen-errors.js'
import type { AddressHolder } from './shared-listener.js'

/** The error to throw for an `error` event of a server that tried to listen. */
export function explainBindError(name: string, address: string, cause: NodeJS.ErrnoException): EngineError {
  const where = `listener "${name}" can't use ${address}`
  switch (cause.code) {
    case 'EADDRINUSE':
      return listenError('LISTEN_IN_USE', `${where}: it is in use`, { cause })
    case 'EACCES':
    case 'EPERM':
      return listenError('LISTEN_DENIED', `${where}: not permitted`, { cause })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAFNOSUPPORT':
      return listenError('LISTEN_NO_ADDRESS', `${where}: this machine does not have it`, { cause })
    default:
      return listenError('LISTEN_FAILED', `${where}: ${cause.message}`, { cause })
  }
}

/** Binds an address of the listener of that name. Throws LISTEN_IN_USE, LISTEN_DENIED, LISTEN_NO_ADDRESS, LISTEN_FAILED. */
export async function listenAt(name: string, holder: AddressHolder): Promise<void> {
  try {
    await holder.listen()
  } catch (error) {
    throw explainBindError(name, renderAddress(holder.bound), error as NodeJS.ErrnoException)
  }
}
