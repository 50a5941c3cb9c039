package sampo.glue

import groovy.transform.CompileStatic

import java.awt.image.Raster

/**
 * How an image that is not RGB is shown to a model of stained tissue: a nuclear channel as haematoxylin, and, where one is
 * chosen, a marker as DAB; white where dark. Limits belong to the whole image, so that a nucleus looks the same in every tile.
 */
@CompileStatic
class StainMap {
    static final int NONE = -1
    private static final java.util.regex.Pattern NUCLEAR = ~/(?i).*(dapi|hoechst|\bdna\b|draq|syto|nucle|histone|\bh3\b|propidium|\bir19[13]\b|to-?pro).*/
    /** Optical density of the stains in red, green and blue; haematoxylin with a trace of eosin. */
    private static final double[] HAEMATOXYLIN = [0.65d, 0.70d, 0.29d] as double[]
    private static final double[] DAB = [0.27d, 0.57d, 0.78d] as double[]
    private static final double STRENGTH = 1.6d
    private static final double GAMMA = 0.7d

    /** Index of the channel with the nuclei. */
    final int nuclei
    /** Index of the channel shown as DAB; NONE for none. */
    final int marker
    /** Dark nuclei on a light ground, as in a grey brightfield picture: shown as it is. */
    final boolean brightfield
    /** Value shown as nothing, and as full strength, for each channel. */
    final double[] low
    final double[] high

    StainMap(int nuclei, int marker, boolean brightfield, double[] low, double[] high) {
        this.nuclei = nuclei
        this.marker = marker
        this.brightfield = brightfield
        this.low = low
        this.high = high
    }

    /**
     * A first guess: the channel whose name says nuclei, else the first; no marker.
     * @param overview a small picture of the whole image; its 1st and 99.8th percentiles are the limits
     */
    static StainMap guess(List<String> channels, Raster overview, boolean brightfield) {
        int nuclei = channels.findIndexOf { String name -> name != null && NUCLEAR.matcher(name).matches() }
        int bands = overview.numBands
        double[] low = new double[bands], high = new double[bands]
        for (int band = 0; band < bands; band++) {
            double[] values = overview.getSamples(overview.minX, overview.minY, overview.width, overview.height, band, (double[]) null)
            Arrays.sort(values)
            low[band] = values[(int) (0.01d * (values.length - 1))]
            high[band] = values[(int) (0.998d * (values.length - 1))]
            if (!(high[band] > low[band])) high[band] = low[band] + 1
        }
        return new StainMap(Math.max(0, nuclei), NONE, brightfield, low, high)
    }

    /** The same limits with other channels. */
    StainMap with(int nuclei, int marker) {
        return new StainMap(nuclei, marker, brightfield, low, high)
    }

    /** Differs where the pixels shown differ: embeddings of one must not serve another. */
    String getKey() {
        String shown = "${nuclei}:${low[nuclei]}-${high[nuclei]}"
        if (marker != NONE) shown += ",${marker}:${low[marker]}-${high[marker]}"
        return (brightfield ? 'grey ' : 'stain ') + shown
    }

    /** For a person: "DAPI as haematoxylin, CD3 as DAB". */
    String describe(List<String> channels) {
        if (brightfield) return "${name(channels, nuclei)} as it is" as String
        String text = "${name(channels, nuclei)} as haematoxylin"
        return marker == NONE ? text : "$text, ${name(channels, marker)} as DAB" as String
    }

    /** @return RGB, interleaved, row by row */
    byte[] render(Raster raster) {
        int width = raster.width, height = raster.height
        byte[] rgb = new byte[width * height * 3]
        double[] first = new double[width], second = new double[width]
        int i = 0
        for (int y = 0; y < height; y++) {
            raster.getSamples(raster.minX, raster.minY + y, width, 1, nuclei, first)
            if (marker != NONE) raster.getSamples(raster.minX, raster.minY + y, width, 1, marker, second)
            for (int x = 0; x < width; x++) {
                if (brightfield) {
                    byte grey = (byte) Math.round(255 * fraction(first[x], nuclei))
                    rgb[i++] = grey
                    rgb[i++] = grey
                    rgb[i++] = grey
                } else {
                    double a = STRENGTH * Math.pow(fraction(first[x], nuclei), GAMMA)
                    double b = marker == NONE ? 0d : STRENGTH * Math.pow(fraction(second[x], marker), GAMMA)
                    for (int c = 0; c < 3; c++) rgb[i++] = (byte) Math.round(255 * Math.pow(10, -(a * HAEMATOXYLIN[c] + b * DAB[c])))
                }
            }
        }
        return rgb
    }

    private double fraction(double value, int channel) {
        double part = (value - low[channel]) / (high[channel] - low[channel])
        // A pixel that is not a number is nothing.
        return part > 0 ? Math.min(1d, part) : 0d
    }

    private static String name(List<String> channels, int index) {
        return channels[index] ?: "channel ${index + 1}" as String
    }
}
