// What an input emits, and what its `open` returns.
import type { Observable } from 'rxjs'

/**
 * In the byte stream of an input: what follows belongs to a new generation. `timeline` says how much time has passed in
 * between: `elapsed` as much as on the monotonic clock (a publisher has reconnected), `contiguous` none (a file starts
 * over), `kept` what its clocks say, which are those of the old generation (an encoder has started again).
 */
export interface Boundary {
  readonly boundary: true
  readonly timeline: 'elapsed' | 'contiguous' | 'kept'
}

/**
 * Bytes that arrived before they are emitted: they waited in a buffer, or a packet that came late had to be put in order.
 * The emitter can use the same object again for the next bytes.
 */
export interface ArrivedBytes {
  readonly bytes: Uint8Array
  /** When they arrived, by `nowMs` of CLOCK. Moved into the time between the arrival of the bytes before and now. */
  readonly receivedAtMs: number
}

/**
 * What an input with `produces: 'bytes'` emits, and a transform on a port of kind `bytes`. Bytes without a time have
 * arrived when they are emitted. The engine owns the array until the next one is emitted.
 */
export type Received = Uint8Array | ArrivedBytes | Boundary

/** What a source does about a sender that is connected and sends no packets. */
export interface PacketTimeout {
  /** Milliseconds for which bytes may come without packets among them, or null packets alone; 0 for any time. Read once a second. */
  readonly ms: number
  /** Called by the engine once this time has passed; the source fails with an error of reaction `retry`. `why` says what came instead. */
  giveUp(why: string): void
}

/** What `open` of an input returns. */
export interface Source<P> extends AsyncDisposable {
  /**
   * Cold: each subscription is one attempt, and the engine has at most one at a time. When it fails, the row of the
   * error decides whether the engine subscribes again, after a back-off. `complete` means that the source has ended for
   * good.
   */
  readonly chunks: Observable<P>
  /**
   * Present if the source can wait (a file, a pipe). Called by the engine when readers hold, or when the source is
   * ready to take over at a reload but has to wait for its turn: the source emits nothing until the hold is disposed,
   * and nothing that it has emitted is dropped. By default a source can't wait, and edges drop at their bound.
   */
  hold?(): Disposable
  /**
   * Present if a source that can't wait for readers can stop reading for a moment (a connection). Called by the engine
   * when more has been received than it can process: the source emits nothing until the pause is disposed; undefined if
   * it can't pause now. By default the engine calls `hold`. What a source that has neither sends too much is dropped.
   */
  pause?(): Disposable | undefined
  /**
   * Present if the source connects to its sender, and can try another one, or again. By default, and while packets come
   * less often than every 5 s, the input is only shown as `waiting`.
   */
  readonly packetTimeout?: PacketTimeout
  /**
   * Called by the engine at every `batch` interval, right before it cuts the received bytes into a chunk. A source that
   * paces itself emits what is due, and needs no timer of its own. By default nothing happens.
   */
  onBatch?(): void
}
