// A listener that several parts of a program share: each publisher and player is offered to those who take its kind.
import type { PlayerArrival, PublisherArrival } from './server-connection.js'

/** What is known of whoever asks. */
interface RtmpOfferDetails {
  /** Name of the listener. */
  readonly listener: string
  /** Without a port. */
  readonly address: string
  /** `address:port`. */
  readonly client: string
  /** Its software, as it says. */
  readonly agent: string
  readonly credentials: RtmpCredentials
  /**
   * Refuses it, with a label under which the listener counts it: `busy` and `not-found` are told as such. Later calls have
   * no effect.
   */
  refuse(reason: string, description: string): void
}

/** From the query, wherever the client has put it. */
export interface RtmpCredentials {
  readonly user: string | undefined
  /** Key `pass` or `password`. */
  readonly password: string | undefined
  readonly query: string | undefined
}

export type RtmpPublisherOffer = Omit<PublisherArrival, 'reject'> & RtmpOfferDetails
export type RtmpPlayerOffer = Omit<PlayerArrival, 'reject'> & RtmpOfferDetails

/**
 * Who takes publishers, or serves players. `take` says whether it takes this one: if not, the next is asked. `isLast`: there
 * is no other one. It accepts or refuses what it takes, now or later.
 */
export type RtmpTaker =
  | { readonly mode: 'publish'; take(offer: RtmpPublisherOffer, isLast: boolean): boolean }
  | { readonly mode: 'play'; take(offer: RtmpPlayerOffer, isLast: boolean): boolean }

/** Under this name parts of a program find an `RtmpConnections`. */
export const SHARED_LISTENER = 'rtmp.Connections'

export interface RtmpConnections {
  /** From now on it is asked, before all that came earlier. */
  offerTo(taker: RtmpTaker): Disposable
}

export function credentialsOf(query: string): RtmpCredentials {
  const keys = new URLSearchParams(query)
  return {
    user: keys.get('user') ?? undefined,
    password: keys.get('pass') ?? keys.get('password') ?? undefined,
    query: query === '' ? undefined : query,
  }
}
