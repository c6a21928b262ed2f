// How the classifiers of h264, h265 and mpeg2 judge an access unit from the bytes known so far. Numbers, because the
// framer asks once per packet of an undecided picture.

/** The bytes end before the decision. */
export const UNDECIDED = 0
/** A decoder that starts here shows nothing, or damage. */
export const NOT_RANDOM_ACCESS = 1
/** A decoder can start here. */
export const RANDOM_ACCESS_PICTURE = 2
