package qupath.lib.images.servers

import qupath.lib.regions.RegionRequest

interface ImageServer<T> {
    int getWidth()
    int getHeight()
    boolean isRGB()
    int nChannels()
    ImageChannel getChannel(int channel)
    PixelCalibration getPixelCalibration()
    String getPath()
    Collection<URI> getURIs()
    T readRegion(RegionRequest request)
}
