// Whom a caller calls, and with what: `host:port` with options beside it, or all of it in a URL.
import { parseSrtUrl } from '../srt-url.js'
import type { ConnectOptions } from './socket-options.js'

/** As configurations have it; `pbkeylen` and `latency` as SRT names them, in bytes and milliseconds. */
export interface CallerOptions {
  readonly address?: string | undefined
  readonly streamId?: string | undefined
  readonly passphrase?: string | undefined
  readonly pbkeylen?: 16 | 24 | 32 | undefined
  readonly latency?: number | undefined
}

export type CallTarget = Pick<ConnectOptions, 'host' | 'port' | 'streamId' | 'passphrase' | 'keyLength' | 'latencyMs'>

interface Problem {
  readonly key: keyof CallerOptions
  readonly problem: string
}

const ADDRESS = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/

/** What is wrong with the options of a caller. */
export function callerProblems(options: CallerOptions): readonly Problem[] {
  const { address } = options
  if (address === undefined) return []
  if (!isUrl(address)) return address.endsWith(':0') ? [{ key: 'address', problem: 'must not have port 0' }] : []
  const url = parseSrtUrl(address)
  if (isWrong(url)) return [{ key: 'address', problem: url.join('; ') }]
  const twice: readonly (readonly [keyof CallerOptions, unknown])[] = [
    ['streamId', url.streamId],
    ['passphrase', url.passphrase],
    ['pbkeylen', url.keyLength],
    ['latency', url.latencyMs],
  ]
  return twice.flatMap(([key, inUrl]) =>
    inUrl === undefined || options[key] === undefined ? [] : [{ key, problem: 'stands in the URL of `address` too' }],
  )
}

/** Throws RangeError for an address that `callerProblems` complains about. */
export function callTargetOf(options: CallerOptions): CallTarget {
  const { address = '', streamId, passphrase, pbkeylen, latency } = options
  return {
    ...placeOf(address),
    ...(streamId === undefined ? {} : { streamId }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(pbkeylen === undefined ? {} : { keyLength: pbkeylen }),
    ...(latency === undefined ? {} : { latencyMs: latency }),
  }
}

function placeOf(address: string): CallTarget {
  if (isUrl(address)) {
    const url = parseSrtUrl(address)
    if (isWrong(url)) throw new RangeError(url.join('; '))
    return url
  }
  const [, ipv6, name, port] = ADDRESS.exec(address) ?? []
  const host = ipv6 ?? name
  if (host === undefined) throw new RangeError('address: must be host:port or a URL')
  return { host, port: Number(port) }
}

function isWrong(url: ReturnType<typeof parseSrtUrl>): url is readonly string[] {
  return Array.isArray(url)
}

function isUrl(address: string): boolean {
  return /^srt:\/\//i.test(address)
}
