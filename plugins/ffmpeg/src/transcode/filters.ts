// The filter graph: the source is decoded and deinterlaced once, then scaled for each rendition.
import { filtersIn } from '../input/argument-values.js'
import type { EncoderSource, SourcePicture } from './encoder-source.js'
import { givenFilters } from './given-filters.js'
import { uploadFilters } from './hardware.js'
import { pixelFormat } from './pixel-format.js'
import type { Rendition } from './rendition.js'
import type { TranscodeOptions } from './transcode-options.js'

export interface VideoGraph {
  /** Empty if nothing is filtered. */
  readonly text: string
  /** What each rendition maps. */
  readonly labels: readonly string[]
  readonly usesImage: boolean
}

type GraphOptions = Pick<TranscodeOptions, 'deinterlace' | 'deinterlaceRate' | 'watermark' | 'loudness'>

export function videoGraph(
  options: GraphOptions,
  renditions: readonly Rendition[],
  { picture }: Pick<EncoderSource, 'picture'>,
): VideoGraph {
  const encoded = renditions.flatMap(({ codec }, output) => (codec === 'copy' ? [] : [output]))
  const labels = renditions.map((_, output) => (encoded.includes(output) ? `[v${output}]` : '0:v:0'))
  if (encoded.length === 0) return { text: '', labels, usesImage: false }
  const usesImage = options.watermark !== undefined
  const shared = deinterlacer(options)
  const parts = encoded.map((output) => `[s${output}]`).join('')
  const split = `[0:v:0]${shared === '' ? '' : `${shared},`}split=${encoded.length}${parts}`
  const images = usesImage
    ? [`[1:v:0]format=rgba,split=${encoded.length}${encoded.map((output) => `[i${output}]`).join('')}`]
    : []
  const branches = encoded.map((output) => branch(output, renditions[output]!, { options, picture }))
  return { text: [split, ...images, ...branches].join(';'), labels, usesImage }
}

/** All filters that renditions with these options use. */
export function filtersOf(options: GraphOptions, renditions: readonly Rendition[]): readonly string[] {
  const encoded = renditions.filter(({ codec }) => codec !== 'copy')
  const graph = [
    ...['split', 'scale', 'pad', 'setsar', 'format'],
    ...(encoded.some(({ hardware }) => hardware === 'vaapi') ? ['hwupload'] : []),
    ...(options.deinterlace === 'off' ? [] : ['bwdif']),
    ...(options.watermark === undefined ? [] : ['overlay']),
    ...(encoded.some(({ frameRate }) => frameRate !== undefined) ? ['select'] : []),
  ]
  const hasSound = renditions.some(({ audioCodec }) => audioCodec === 'aac')
  const all = [
    ...(encoded.length === 0 ? [] : graph),
    ...(hasSound && options.loudness !== undefined ? ['loudnorm', 'aresample'] : []),
    ...renditions.flatMap(({ extraArgs }) => filtersIn(extraArgs)),
  ]
  return [...new Set(all)]
}

/** Audio of a rendition; empty if it is not filtered. */
export function audioFilters(
  { loudness }: Pick<TranscodeOptions, 'loudness'>,
  { extraArgs }: Pick<Rendition, 'extraArgs'>,
): string {
  const given = givenFilters(extraArgs).audio
  if (loudness === undefined) return given.join(',')
  // `loudnorm` counts samples from its first one: gaps are filled before it.
  const even = `aresample=48000:async=1:min_hard_comp=0.1,loudnorm=I=${loudness}:TP=-1.5:LRA=11,aresample=48000`
  return [...given, even].join(',')
}

function deinterlacer({ deinterlace, deinterlaceRate }: GraphOptions): string {
  if (deinterlace === 'off') return ''
  return `bwdif=mode=send_${deinterlaceRate}:parity=auto:deint=${deinterlace === 'on' ? 'all' : 'interlaced'}`
}

function branch(
  output: number,
  rendition: Rendition,
  { options: { watermark }, picture }: { readonly options: GraphOptions; readonly picture: SourcePicture },
): string {
  const { frameRate, extraArgs } = rendition
  const thin = frameRate === undefined ? [] : [thinned(frameRate)]
  const chain = [...thin, ...scaled(rendition, picture), ...givenFilters(extraArgs).video]
  const last = uploadFilters(rendition)
  if (watermark === undefined) return `[s${output}]${[...chain, ...last].join(',')}[v${output}]`
  const { position, margin } = watermark
  const x = position.endsWith('left') ? `${margin}` : `W-w-${margin}`
  const y = position.startsWith('top') ? `${margin}` : `H-h-${margin}`
  const overlay = `overlay=x=${x}:y=${y}:eof_action=repeat:format=${pixelFormat(rendition).overlay}`
  return `[s${output}]${chain.join(',')}[b${output}];[b${output}][i${output}]${overlay},${last.join(',')}[v${output}]`
}

/**
 * Samples become square, and the shape of the picture stays. The size is that of the start, whatever the source sends later:
 * what has another shape gets borders. `dar` is the shape of the picture as it is shown.
 */
function scaled({ height, width }: Rendition, picture: SourcePicture): readonly string[] {
  const { width: w, height: h } = sizeFor({ height, width }, picture)
  if (w === undefined || h === undefined) {
    const across = height === undefined ? even(width === undefined ? 'iw*sar' : `${width}`) : even(`${height}*dar`)
    const down = height === undefined ? even(width === undefined ? 'ih' : `${width}/dar`) : `${height}`
    return [`scale=w='${across}':h='${down}':eval=frame`, 'setsar=1']
  }
  // The shape can change while the size does not: then ffmpeg makes no filter anew.
  const isWide = `gt(dar,${w}/${h})`
  const fit = `scale=w='if(${isWide},${w},${even(`${h}*dar`)})':h='if(${isWide},${even(`${w}/dar`)},${h})':eval=frame`
  return [fit, `pad=${w}:${h}:-1:-1:eval=frame`, 'setsar=1']
}

/** The nearest even number, in the language of the filters. */
function even(length: string): string {
  return `max(2,round((${length})/2)*2)`
}

type Size = Pick<SourcePicture, 'width' | 'height'>

/** Undefined where it depends on a picture that is not known. */
function sizeFor({ width, height }: Size, picture: SourcePicture): Size {
  if (width !== undefined && height !== undefined) return { width, height }
  if (picture.width === undefined || picture.height === undefined) return { width, height }
  const shape = (picture.width * (picture.sampleAspect ?? 1)) / picture.height
  const rows = height ?? nearestEven(width === undefined ? picture.height : width / shape)
  return { width: width ?? nearestEven(rows * shape), height: rows }
}

function nearestEven(length: number): number {
  return Math.max(2, Math.round(length / 2) * 2)
}

/** Drops pictures, but no key frame, and leaves the times of the others as they are. */
function thinned(frameRate: number): string {
  const leastS = (1 / frameRate - 0.004).toFixed(6)
  return `select='if(isnan(prev_selected_t),1,key+gte(t-prev_selected_t,${leastS}))'`
}
