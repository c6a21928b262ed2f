// What a client says of itself in `connect` (RTMP 1.0, clause 7.2.1.1; Enhanced RTMP v2), and our answer.
import { isAmfObject, numberOf, textOf } from '../amf/amf-value.js'
import type { AmfObject, AmfValue } from '../amf/amf-value.js'
import { shown } from './command.js'

export interface ConnectInfo {
  readonly app: string
  readonly tcUrl: string
  /** Its software, as it says: printable, and cut. */
  readonly flashVer: string
  /** Codecs of Enhanced RTMP; empty for clients that do not know it. */
  readonly fourCcList: readonly string[]
  readonly capsEx: number
}

/** What we say that we can do. */
export interface Capabilities {
  readonly fourCcList?: readonly string[]
  /** Bits of Enhanced RTMP v2: 1 reconnect, 2 multitrack, 4 ModEx, 8 timestamp offset in nanoseconds. */
  readonly capsEx?: number
}

const FMS_VERSION = 'FMS/3,0,1,123'
const FMS_CAPABILITIES = 31
const MOST_CODECS = 32
const MAX_AGENT = 256

export function readConnect(object: AmfValue): ConnectInfo {
  const list = isAmfObject(object) ? object['fourCcList'] : undefined
  return {
    app: textOf(object, 'app') ?? appOf(textOf(object, 'tcUrl') ?? ''),
    tcUrl: textOf(object, 'tcUrl') ?? '',
    flashVer: shown(textOf(object, 'flashVer') ?? '', MAX_AGENT),
    fourCcList: Array.isArray(list) ? list.filter((each) => typeof each === 'string').slice(0, MOST_CODECS) : [],
    capsEx: numberOf(object, 'capsEx') ?? 0,
  }
}

/** Properties and information of the result. */
export function connectResult({ fourCcList, capsEx }: Capabilities): [AmfObject, AmfObject] {
  const enhanced: AmfObject = {}
  if (fourCcList !== undefined) enhanced['fourCcList'] = [...fourCcList]
  if (capsEx !== undefined) enhanced['capsEx'] = capsEx
  return [
    { fmsVer: FMS_VERSION, capabilities: FMS_CAPABILITIES, ...enhanced },
    {
      level: 'status',
      code: 'NetConnection.Connect.Success',
      description: 'Connection succeeded.',
      objectEncoding: 0,
      ...enhanced,
    },
  ]
}

function appOf(tcUrl: string): string {
  return /^[a-z]+:\/\/[^/]*\/([^?]*)/i.exec(tcUrl)?.[1] ?? ''
}
