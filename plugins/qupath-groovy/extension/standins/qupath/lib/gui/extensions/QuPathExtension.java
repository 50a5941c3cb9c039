package qupath.lib.gui.extensions;

import qupath.lib.gui.QuPathGUI;

/** The methods that every QuPath from 0.5 to 0.7 wants of an extension. */
public interface QuPathExtension {
    void installExtension(QuPathGUI qupath);

    String getName();

    String getDescription();
}
