package qupath.lib.common

class ColorTools {
    static int packRGB(int r, int g, int b) { return (255 << 24) | (r << 16) | (g << 8) | b }
    static int red(int rgb) { return (rgb >> 16) & 255 }
    static int green(int rgb) { return (rgb >> 8) & 255 }
    static int blue(int rgb) { return rgb & 255 }
}
