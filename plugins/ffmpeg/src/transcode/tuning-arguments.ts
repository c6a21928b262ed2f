// What an encoder is told in its own words.

export interface Tuning {
  readonly profile?: string | undefined
  readonly preset?: string | undefined
  readonly tune?: string | undefined
}

export function tuningArguments(tuning: Tuning & { readonly encoder: string }): readonly string[] {
  const { preset, tune } = tuning
  const option = (name: string, value: string | undefined): string[] => (value === undefined ? [] : [name, value])
  return [...option('-profile:v', profileName(tuning)), ...option('-preset:v', preset), ...option('-tune:v', tune)]
}

/** VAAPI has no other baseline than the constrained one. */
function profileName({ encoder, profile }: Tuning & { readonly encoder: string }): string | undefined {
  return encoder === 'h264_vaapi' && profile === 'baseline' ? 'constrained_baseline' : profile
}
