// Secrets of the configuration, read by name, and secrets that a node learns while it runs.

export interface Secrets {
  /**
   * The value of a secret that the section `secrets` declares, in the configuration that the options of the node come
   * from: a reload can change it for a node that it keeps, not for one that it replaces. A node that is rolled back has
   * its old secrets with its old options. Throws SECRET_UNKNOWN.
   */
  read(name: string): string
  /**
   * Shows `***` in place of the value in logs, errors, status and events, as for secrets of the configuration, until
   * disposed. Values of fewer than 4 characters are masked only where they are the whole text. A node hides at most 64
   * values at a time, of at most 4096 characters each: more throw SECRET_NOT_HIDDEN. What a node has not disposed when
   * it ends stays masked; the engine forgets the oldest of these after 256.
   */
  hide(value: string): Disposable
  /** Compares digests in constant time: the duration does not show how much of two texts agrees, whatever their lengths. */
  equal(a: string, b: string): boolean
}
