// The causes that an explanation can name: how the reasons of nodes are recognised, and what to do about each.

export interface CauseRow {
  /** Matches the reason of a node. By default it is found by the state of a node alone. */
  readonly text?: RegExp
  readonly hint: string
}

/** The first one that matches counts. */
export const CAUSES = {
  'tables-damaged': {
    text: /\bCRC\b/,
    hint: 'The program tables arrive damaged: look for loss on the way from the encoder, and at continuity errors.',
  },
  'no-tables': {
    text: /\bno (PAT|PMT)\b/,
    hint: 'The stream has no program tables: let the encoder send PAT and PMT at least every 100 ms.',
  },
  'no-key-frame': {
    text: /\bno (key frames?|pictures?)\b/i,
    hint: 'Viewers can only start at a key frame: set the key frame interval of the encoder to 1 to 4 s.',
  },
  codec: {
    text: /\bcodecs?\b|not (possible|supported|allowed) in\b|cannot carry/i,
    hint: 'The container of this output cannot carry the codec: choose another output, or transcode before it.',
  },
  'not-found': {
    text: /\b1?404\b|not found/i,
    hint: 'The upstream does not have this stream: check the path or the name of the stream.',
  },
  refused: {
    text: /\b1?40[13]\b|refused by|unauthori[sz]ed|not allowed|forbidden|refused a publisher|publisher was refused|access (was )?denied/i,
    hint: 'Check `auth`: the rules, the name and the password or key.',
  },
  unreachable: {
    text: /E(CONNREFUSED|CONNRESET|HOSTUNREACH|NETUNREACH|NOTFOUND|TIMEDOUT)|connection (was )?(refused|reset)|time limit|timed out|did not answer/i,
    hint: 'The other end cannot be reached: check its address and port, the network, and whether it runs.',
  },
  'not-published': {
    text: /nobody (publishes|sends)|waits? for a publisher/i,
    hint: 'Start the encoder, and check the address and the name of the stream that it uses.',
  },
  'no-packets': {
    text: /no (MPEG-TS )?packets/i,
    hint: 'The connection is up and nothing usable comes: check what the other end sends.',
  },
  limit: { text: /\blimit\b/i, hint: 'Raise the limit, or disconnect others.' },
  'reader-slow': { hint: 'The node cannot process the stream in time: look at the load of the machine.' },
  'viewers-slow': { hint: 'The network of the viewers is too slow for the bit rate, or their players have stopped.' },
  disabled: { hint: '`engine enable NODE` opens it again.' },
  failed: { hint: 'The log has the details. `engine restart NODE` tries it once more.' },
  ended: { hint: 'A stream that has ended begins again when the engine restarts, or a reload replaces the node.' },
  opening: { hint: 'Wait a few seconds, and ask again.' },
  waiting: { hint: 'The engine tries again by itself; the log has the details.' },
  degraded: { hint: 'The node works, but not as it should: the log has the details.' },
  'no-start': { hint: 'No viewer can start in this stream now.' },
} as const satisfies Record<string, CauseRow>

export type CauseCode = keyof typeof CAUSES

/** Undefined if the text names none of them. */
export function causeOfText(text: string): CauseCode | undefined {
  const rows: readonly (readonly [string, CauseRow])[] = Object.entries(CAUSES)
  return rows.find(([, row]) => row.text?.test(text) === true)?.[0] as CauseCode | undefined
}
