// The part of blessed that is used.
declare module 'blessed' {
  import type { Readable, Writable } from 'node:stream'

  export interface ScreenOptions {
    readonly input: Readable
    readonly output: Writable
    readonly terminal: string
    readonly fullUnicode: boolean
    readonly smartCSR: boolean
    readonly autoPadding: boolean
    readonly warnings: boolean
    readonly resizeTimeout: number
    readonly title?: string
  }

  export interface Program {
    showCursor(): void
    hideCursor(): void
    normalBuffer(): void
    alternateBuffer(): void
    clear(): void
    flush(): void
  }

  export interface Screen {
    readonly program: Program
    readonly width: number
    readonly height: number
    render(): void
    alloc(): void
    realloc(): void
    enter(): void
    leave(): void
    destroy(): void
    on(event: 'resize', listener: () => void): void
  }

  export interface Box {
    setContent(content: string): void
  }

  export interface BoxOptions {
    readonly parent: Screen
    readonly top: number
    readonly left: number
    readonly width: string
    readonly height: string
    readonly tags: boolean
    readonly wrap: boolean
  }

  const blessed: { screen(options: ScreenOptions): Screen; box(options: BoxOptions): Box }
  export default blessed
}
