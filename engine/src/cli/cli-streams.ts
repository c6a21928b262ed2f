// Where a command writes and what it reads of its surroundings: data to `out`, text for people to `err`.

export interface TextStream {
  write(text: string): unknown
  readonly isTTY?: boolean
}

export interface CliStreams {
  readonly out: TextStream
  readonly err: TextStream
  readonly env: Readonly<Record<string, string | undefined>>
}
