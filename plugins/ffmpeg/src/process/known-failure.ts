// What the last lines of ffmpeg mean, where they do not say it: drivers and encoders report limits as if something else
// had failed.

export interface KnownFailure {
  /** A sentence for people. */
  readonly text: string
  /** `hardware`: another encoder may work. `arguments`: it will fail again each time. */
  readonly kind: 'hardware' | 'arguments'
}

const KNOWN: readonly (KnownFailure & { readonly pattern: RegExp })[] = [
  {
    pattern: /OpenEncodeSessionEx failed: (?:out of memory|incompatible client key)/i,
    text: 'the graphics driver opens no further encoder session: the limit of sessions is reached (it says "out of memory")',
    kind: 'hardware',
  },
  {
    pattern:
      /No (?:NVENC )?capable devices? found|Cannot load (?:libcuda|libnvidia-encode|nvcuda)|minimum required Nvidia driver/i,
    text: 'there is no graphics card that can encode, or its driver does not fit this ffmpeg',
    kind: 'hardware',
  },
  {
    pattern:
      /Failed to initialise VAAPI|No VA display found|Failed to create a VAAPI|Error creating a MFX session|Error initializing an internal MFX session/i,
    text: 'the device for encoding in hardware cannot be opened',
    kind: 'hardware',
  },
  {
    pattern: /Device creation failed|Error initializing (?:the )?hardware/i,
    text: 'the device for encoding in hardware cannot be opened',
    kind: 'hardware',
  },
  {
    pattern: /Unknown encoder '([^']{1,60})'/i,
    text: 'this build of ffmpeg does not have the encoder',
    kind: 'arguments',
  },
  {
    pattern: /No such filter: '([^']{1,60})'/i,
    text: 'this build of ffmpeg does not have the filter',
    kind: 'arguments',
  },
  {
    pattern: /Unrecognized option|Option [^ ]{1,60} not found|Error (?:parsing|splitting) .{0,60}(?:option|argument)/i,
    text: 'ffmpeg does not know an option',
    kind: 'arguments',
  },
  {
    pattern:
      /Error setting (?:preset|profile|option)|Unable to parse option value|Error applying encoder options|Invalid or incompatible profile|invalid level_idc/i,
    text: 'an encoder does not accept a value',
    kind: 'arguments',
  },
  {
    pattern: /does not support 90000\/1 fps|timebase 1\/90000 (?:is )?not supported/i,
    text: 'the encoder does not keep the times of the source',
    kind: 'arguments',
  },
]

/** The first known cause in the lines; undefined if there is none. */
export function knownFailure(lines: readonly string[]): KnownFailure | undefined {
  for (const { pattern, text, kind } of KNOWN) {
    const line = lines.find((each) => pattern.test(each))
    if (line !== undefined) return { text: `${text}: ${line.slice(0, 200)}`, kind }
  }
  return undefined
}
