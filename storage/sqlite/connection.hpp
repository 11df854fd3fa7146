// A connection to an SQLite database, its prepared statements, and how values are bound and read.
// Everything here throws SQLite::Exception and is called inside `guarded`. One thread per
// connection.
#pragma once

#include "model/time.hpp"
#include "storage/sqlite/backend.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace sluice::storage::sqlite {

enum class access : std::uint8_t { read, write };

class connection {
public:
  /// Opens an existing file, or the database in memory, which is made when missing.
  connection(const place& at, access how, const store_options& options);

  /// Write-ahead log, durability: what only the owner of a database may set. After the schema was
  /// found to be ours, because it changes the file.
  void become_writer(const place& at, const store_options& options);

  SQLite::Database& database() { return database_; }

  /// The statement for a text, prepared at its first use.
  /// @pre `sql` is a literal: it is known again by its address
  SQLite::Statement& prepared(const char* sql);

private:
  /// Copies the log into the database when it has grown. SQLite would do so by itself, but keep
  /// quiet about errors.
  void checkpoint();

  SQLite::Database database_;
  std::unordered_map<const char*, SQLite::Statement> statements_;
  int checkpoint_pages_ = 0;
  bool checkpoint_failed_ = false; ///< the last one
};

/// Bytes to be stored as such, and not as text. Must live as long as the query that takes it.
struct blob {
  const std::string& bytes;
};

/// One use of a prepared statement: binds the arguments to ?1, ?2, ... in order, and resets the
/// statement at the end of the scope, so that no read stays open. Text is not copied: a string
/// that is given by name must live as long as this; a temporary one is copied.
class query {
public:
  template <class... Args>
  explicit query(connection& on, const char* sql, Args&&... args) : statement_(on.prepared(sql)) {
    int index = 0;
    (bind(++index, std::forward<Args>(args)), ...);
  }
  query(const query&) = delete;
  query& operator=(const query&) = delete;
  ~query() { statement_.tryReset(); }

  /// Executes a statement without rows; how many rows it changed.
  int run() { return statement_.exec(); }
  /// The next row, if there is one.
  bool next() { return statement_.executeStep(); }

  std::int64_t integer(int column) { return statement_.getColumn(column).getInt64(); }
  std::string text(int column) { return statement_.getColumn(column).getString(); }
  bool is_null(int column) { return statement_.isColumnNull(column); }
  std::optional<model::wall_time> time(int column) {
    return is_null(column) ? std::nullopt : std::optional{model::from_us(integer(column))};
  }

private:
  template <class Arg>
  void bind(int index, Arg&& arg) {
    using type = std::remove_cvref_t<Arg>;
    if constexpr (std::is_same_v<type, std::nullptr_t>)
      statement_.bind(index);
    else if constexpr (std::is_same_v<type, bool>)
      statement_.bind(index, arg ? 1 : 0);
    else if constexpr (std::is_integral_v<type>)
      statement_.bind(index, static_cast<std::int64_t>(arg));
    else if constexpr (std::is_same_v<type, model::wall_time>)
      statement_.bind(index, model::to_us(arg));
    else if constexpr (std::is_same_v<type, blob>)
      statement_.bindNoCopy(index, arg.bytes.data(), static_cast<int>(arg.bytes.size()));
    else if constexpr (std::is_same_v<type, std::string> && std::is_lvalue_reference_v<Arg>)
      statement_.bindNoCopy(index, arg);
    else if constexpr (std::is_same_v<type, std::string>)
      statement_.bind(index, arg);
    else
      bind_optional(index, arg);
  }
  template <class T>
  void bind_optional(int index, const std::optional<T>& arg) {
    if (arg)
      bind(index, *arg);
    else
      statement_.bind(index);
  }
  /// Text that may be missing: null for no text.
  void bind_optional(int index, const std::string* arg) {
    if (arg != nullptr)
      statement_.bindNoCopy(index, *arg);
    else
      statement_.bind(index);
  }

  SQLite::Statement& statement_;
};

/// A write transaction; rolled back unless it was committed.
class transaction {
public:
  explicit transaction(connection& on);
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  ~transaction();
  void commit();

private:
  connection& on_;
};

} // namespace sluice::storage::sqlite
