-- What the pipe says of each of this run's files, by their names.
SELECT file_name, status, row_count, first_error_message, first_error_line_number
FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY(
    TABLE_NAME => ${table}, START_TIME => DATEADD(HOUR, -24, CURRENT_TIMESTAMP())
))
WHERE CONTAINS(file_name, ?)
ORDER BY last_load_time
