// Which requests belong together where nothing but address and agent tells: one address with one agent is one viewer.
// The id of a playback that a player sends (CMCD) tells viewers behind one address apart.
import type { Session, Who } from '@millrace/engine/plugin'

/** Kept of an agent: its beginning names the player, its end the version. */
const AGENT_PART = 40
const MOST = 10_000

export class SessionKeys {
  /** The first id that has come from an address and agent while this session lasts: it is of the same viewer. */
  readonly #firstIds = new Map<string, { readonly sid: string; readonly session: Session }>()
  /** The key of the last playlist that an address has asked for. */
  readonly #lastKeys = new Map<string, string>()

  /** Without an id of a playback. */
  plainKey({ address, agent }: Pick<Who, 'address' | 'agent'>): string {
    const short = agent.length <= 2 * AGENT_PART ? agent : `${agent.slice(0, AGENT_PART)}${agent.slice(-AGENT_PART)}`
    return `${address} ${short}`
  }

  /** `find`: the session of a key, if there is one. */
  keyOf(who: Pick<Who, 'address' | 'agent'>, sid: string, find: (key: string) => Session | undefined): string {
    const plain = this.plainKey(who)
    const first = this.#firstIds.get(plain)
    if (first?.session.isOver === false) return first.sid === sid ? plain : `sid ${who.address} ${sid}`
    // A player sends none with its first request: that is where its session has begun.
    const session = find(plain)
    if (session === undefined) return `sid ${who.address} ${sid}`
    keep(this.#firstIds, plain, { sid, session })
    return plain
  }

  noteUse({ address }: Pick<Who, 'address'>, key: string): void {
    keep(this.#lastKeys, address, key)
  }

  lastKey({ address }: Pick<Who, 'address'>): string | undefined {
    return this.#lastKeys.get(address)
  }
}

/** The oldest makes room. */
function keep<T>(kept: Map<string, T>, name: string, value: T): void {
  kept.delete(name)
  kept.set(name, value)
  const [oldest] = kept.keys()
  if (kept.size > MOST && oldest !== undefined) kept.delete(oldest)
}
