package dev.jarvis.price;

import dev.jarvis.storage.Database;
import java.util.List;

/** Brings the imported prices from the database into this replica's memory. Thread-safe. */
public final class ImportedPrices {
  private final Database database;
  private final Prices prices;
  private long loaded; // guarded by this

  public ImportedPrices(Database database, Prices prices) {
    this.database = database;
    this.prices = prices;
  }

  /** Reads the prices if there are further ones: those that are known never change. */
  public synchronized void reload() {
    if (database.poll(PriceStore.count()) != loaded) {
      List<Price> all = database.poll(PriceStore.all());
      prices.imported(all);
      loaded = all.size();
    }
  }
}
