// What an encoder is told in its own words.

export interface Tuning {
  readonly profile?: string | undefined
  readonly preset?: string | undefined
  readonly tune?: string | undefined
}

export function tuningArguments({ profile, preset, tune }: Tuning): readonly string[] {
  const option = (name: string, value: string | undefined): string[] => (value === undefined ? [] : [name, value])
  return [...option('-profile:v', profile), ...option('-preset:v', preset), ...option('-tune:v', tune)]
}
