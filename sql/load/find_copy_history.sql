-- What the pipe says of each of this run's files, by their full names.
SELECT
    h.stage_location || h.file_name AS url,
    h.status,
    h.row_count,
    h.first_error_message,
    h.first_error_line_number
FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY(
    TABLE_NAME => ${table}, START_TIME => DATEADD(HOUR, -48, CURRENT_TIMESTAMP())
)) AS h
WHERE CONTAINS(h.file_name, ?)
